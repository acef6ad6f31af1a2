//! Where a chain begins. In: the tokens before the first arrow; out: the values it begins with, if it begins
//! with any. A group that holds something else is told, and what can be read of it is kept.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use super::pretty::pretty;
use super::tokens::{Tokens, describe};
use super::wrapped::is_layer;
use super::{Values, foreign};
use crate::ast::{Chain, Source};
use crate::errors::Errors;

/// `name` or `(name, name)` where a chain begins; false if something else does.
pub fn source(step: &mut Tokens, chain: &mut Chain, values: &Values, errors: &mut Errors) -> bool {
    if foreign::joined(step, chain, values, errors) {
        return true;
    }
    let only = step.peek(1).is_none();
    match step.peek(0).cloned() {
        Some(TokenTree::Ident(name)) if values.may_be(&name) && (only || values.knows(&name) && goes_wrong(step)) => {
            let tokens = step.take(1);
            chain.source = Some(Source { names: vec![name], tokens });
            true
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            let tokens = TokenStream::from(TokenTree::Group(group.clone()));
            step.bump();
            if foreign::chain_in_parentheses(&group, step, errors) {
                chain.broken = true;
                return true;
            }
            let (names, sound) = names_in(&group, false, errors);
            chain.broken |= !sound;
            chain.source = Some(Source { names, tokens });
            true
        }
        _ => false,
    }
}

/// Behind a value stands what can be no part of a layer or of a label: an arrow is missing, or is something
/// else.
fn goes_wrong(step: &Tokens) -> bool {
    let layer = step.is_sign(1, ':') || step.is_sign(1, '<') || matches!(step.peek(1), Some(TokenTree::Group(_)));
    !layer || step.is_sign(1, '<') && step.is_sign(2, '-')
}

/// `name, name` within parentheses, and whether nothing else stands there. Where a `let` binds them, `_`
/// drops one.
pub fn names_in(group: &Group, binds: bool, errors: &mut Errors) -> (Vec<Ident>, bool) {
    let mut tokens = Tokens::new(group.stream());
    if tokens.at_end() {
        errors.add(group, "the names of values", "`()`", "`(a, b)`");
        return (Vec::new(), false);
    }
    if !binds && matches!(tokens.peek(0), Some(TokenTree::Literal(_))) {
        let written = pretty(&TokenStream::from(TokenTree::Group(group.clone())));
        errors.add(group, "a layer before its arguments", &format!("`{written}`"), &format!("`Layer{written}`"));
        return (Vec::new(), false);
    }
    let mut names = Vec::new();
    let mut sound = true;
    let told_before = errors.count();
    while !tokens.at_end() {
        let end = tokens.until(|tokens, ahead| tokens.is_sign(ahead, ','));
        let mut one = Tokens::new(tokens.take(end));
        tokens.bump();
        match one.bump() {
            Some(TokenTree::Ident(name)) if one.at_end() && (names_a_value(&name) || binds && name == "_") => {
                names.push(name);
            }
            Some(token) => {
                sound = false;
                one.back(1);
                let written = one.rest();
                let count = written.clone().into_iter().count();
                let found = if count == 1 { describe(&token) } else { format!("`{}`", pretty(&written)) };
                let idents: Vec<Ident> = written.clone().into_iter().filter_map(ident).collect();
                let twice = count == 2 && idents.len() == 2 && idents[0] == idents[1];
                let help = if twice {
                    format!("`{}`", idents[0])
                } else if count > 1 && idents.len() == count {
                    let list = idents.iter().map(Ident::to_string).collect::<Vec<_>>().join(", ");
                    format!("separate them with commas: `({list})`")
                } else if is_layer(&pretty(&written)) {
                    format!("name what it makes in a statement before: `let name = {};`", pretty(&written))
                } else {
                    "name it in a statement before: `let name = …;`".to_owned()
                };
                if idents.len() == count {
                    let count = if twice { 1 } else { count };
                    names.extend(idents.into_iter().take(count).filter(names_a_value));
                }
                if told_before == errors.count() {
                    errors.add(written, "the name of a value", &found, &help);
                }
            }
            None => {
                sound = false;
                if told_before == errors.count() {
                    errors.add(group, "the name of a value", "`,`", "remove the comma");
                }
            }
        }
    }
    (names, sound)
}

fn names_a_value(name: &Ident) -> bool {
    crate::case::is_value(name)
}

fn ident(token: TokenTree) -> Option<Ident> {
    match token {
        TokenTree::Ident(ident) => Some(ident),
        _ => None,
    }
}
