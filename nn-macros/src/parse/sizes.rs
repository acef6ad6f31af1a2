//! The sizes of a network that is declared for several. In: what stands between `<` and `>` behind its name;
//! out: the name of the size and its values, or what a network may not have.

use proc_macro2::{Delimiter, Literal, TokenTree};

use super::pretty::pretty;
use super::tokens::Tokens;
use crate::ast::Sizes;
use crate::errors::Errors;

/// `<const W: usize in [16, 32]>`
pub fn take(tokens: &mut Tokens, errors: &mut Errors) -> Option<Sizes> {
    if !tokens.is_sign(0, '<') {
        return None;
    }
    let mut depth = 0;
    let mut count = 0;
    while let Some(token) = tokens.peek(count) {
        count += 1;
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    let written = tokens.take(count);
    let mut within = Tokens::new(written.clone());
    let named =
        within.is_word(1, "const") && within.is_colon(3) && within.is_word(4, "usize") && within.is_word(5, "in");
    let list = within.group(6, Delimiter::Bracket).cloned().filter(|_| named && within.is_sign(7, '>'));
    let (Some(list), Some(name)) = (list, within.ident(2).cloned()) else {
        let help = "use a const for the number, `<const W: usize in [16, 32]>` for one of several, another network as a layer, or a \
            `macro_rules!` around `network!`";
        errors.add(&written, "a network without generics", &format!("`{}`", pretty(&written)), help);
        return None;
    };
    within = Tokens::new(list.stream());
    let mut values: Vec<Literal> = Vec::new();
    while !within.at_end() {
        let end = within.until(|tokens, ahead| tokens.is_sign(ahead, ','));
        let one = within.take(end);
        within.bump();
        match one.clone().into_iter().collect::<Vec<_>>().as_slice() {
            [TokenTree::Literal(value)] if value.to_string().chars().all(|digit| digit.is_ascii_digit()) => {
                match values.iter().any(|other| other.to_string() == value.to_string()) {
                    true => errors.add(&one, "each size once", &format!("`{value}` twice"), "remove it"),
                    false => values.push(value.clone()),
                }
            }
            [] => errors.add(&list, "whole numbers", "`,`", "remove the comma"),
            _ => {
                errors.add(&one, "a whole number", &format!("`{}`", pretty(&one)), "`[16, 32]`; it is a part of a name")
            }
        }
    }
    if values.is_empty() && errors.is_empty() {
        errors.add(&list, "at least one size", "`[]`", "`[16, 32]`");
    }
    (!values.is_empty()).then_some(Sizes { name, values })
}
