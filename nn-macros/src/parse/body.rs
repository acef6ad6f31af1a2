//! What stands between the braces. In: a group of tokens; out: statements, each a chain with the names it
//! binds. Cuts at `;` and at `->`; what stands between two arrows is read next door.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use super::pretty::pretty;
use super::step;
use super::tokens::{Tokens, describe};
use crate::ast::{Chain, Source, Statement};
use crate::case::is_value;
use crate::errors::Errors;

pub fn statements(body: &Group, errors: &mut Errors) -> Vec<Statement> {
    let mut tokens = Tokens::new(body.stream());
    let mut statements = Vec::new();
    while !tokens.at_end() {
        if tokens.is_sign(0, ';') {
            errors.add(tokens.here(), "a layer", "`;`", "remove it");
            tokens.bump();
            continue;
        }
        statements.push(statement(&mut tokens, errors));
    }
    statements
}

/// `let names = chain;`
fn statement(tokens: &mut Tokens, errors: &mut Errors) -> Statement {
    let names = if tokens.is_word(0, "let") { names(tokens, errors) } else { Vec::new() };
    let chain = chain(tokens, errors);
    if tokens.is_sign(0, ';') {
        tokens.bump();
    }
    Statement { names, chain }
}

/// `let names =`
fn names(tokens: &mut Tokens, errors: &mut Errors) -> Vec<Ident> {
    tokens.bump();
    if tokens.is_word(0, "mut") && tokens.ident(1).is_some() {
        errors.add(tokens.here(), "the name of a value", "`mut`", "remove it: a value does not change");
        tokens.bump();
    }
    let names = match tokens.peek(0).cloned() {
        Some(TokenTree::Ident(name)) => {
            tokens.bump();
            vec![name]
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            tokens.bump();
            names_in(&group, errors).unwrap_or_default()
        }
        _ => {
            errors.add(tokens.here(), "the name of a value", &tokens.found(), "`let name = …;`");
            let ahead = tokens.until(|tokens, ahead| tokens.is_sign(ahead, '=') || tokens.is_sign(ahead, ';'));
            tokens.take(ahead);
            Vec::new()
        }
    };
    if tokens.is_sign(0, '=') && !tokens.is_pair(0, ['=', '>']) {
        tokens.bump();
        return names;
    }
    if tokens.is_colon(0) {
        errors.add(tokens.here(), "`=`", "`:`", "a shape is checked in the flow: `let name = … -> [10];`");
    } else if !names.is_empty() {
        let name = names.iter().map(Ident::to_string).collect::<Vec<_>>().join(", ");
        let name = if names.len() > 1 { format!("({name})") } else { name };
        errors.add(tokens.here(), "`=`", &tokens.found(), &format!("`let {name} = …;`"));
    }
    let ahead = tokens.until(|tokens, ahead| tokens.is_sign(ahead, '=') || tokens.is_sign(ahead, ';'));
    if tokens.is_sign(ahead, '=') {
        tokens.take(ahead + 1);
    }
    names
}

/// `name, name` within parentheses; `None` if something else stands there too.
fn names_in(group: &Group, errors: &mut Errors) -> Option<Vec<Ident>> {
    let mut tokens = Tokens::new(group.stream());
    if tokens.at_end() {
        errors.add(group, "the names of values", "`()`", "`(a, b)`");
        return None;
    }
    let mut names = Vec::new();
    let mut sound = true;
    while !tokens.at_end() {
        let end = tokens.until(|tokens, ahead| tokens.is_sign(ahead, ','));
        let mut one = Tokens::new(tokens.take(end));
        tokens.bump();
        match one.bump() {
            Some(TokenTree::Ident(name)) if one.at_end() && is_value(&name) => names.push(name),
            Some(token) => {
                sound = false;
                one.back(1);
                let written = one.rest();
                let found = match written.clone().into_iter().count() {
                    1 => describe(&token),
                    _ => format!("`{}`", pretty(&written)),
                };
                errors.add(written, "the name of a value", &found, "name it in a statement before: `let name = …;`");
            }
            None => {
                sound = false;
                errors.add(group, "the name of a value", "`,`", "remove the comma");
            }
        }
    }
    sound.then_some(names)
}

/// `source -> step -> step`, up to the `;` or to where the next statement begins without one.
fn chain(tokens: &mut Tokens, errors: &mut Errors) -> Chain {
    let mut chain = Chain::default();
    if tokens.at_end() || tokens.is_sign(0, ';') {
        errors.add(tokens.here(), "a layer", &tokens.found(), "`let name = …;`");
        chain.broken = true;
        return chain;
    }
    let mut first = true;
    loop {
        let count = tokens.until(ends_step);
        if count == 0 {
            errors.add(tokens.here(), "a layer", &tokens.found(), "write a layer there, or remove the arrow");
            chain.broken = true;
        } else {
            let mut step = Tokens::new(tokens.take(count));
            let whole = if first { source(&mut step, &mut chain, errors) } else { false };
            if !whole {
                step::step(&mut step, &mut chain, errors);
            }
            if !step.at_end() {
                chain.broken |= !step::next_statement(&mut step, errors);
                tokens.back(step.until(|_, _| false));
                if !tokens.is_sign(0, ';') {
                    return chain;
                }
            }
        }
        first = false;
        let arrow = tokens.here();
        if tokens.is_arrow(0) {
            tokens.take(2);
        } else if tokens.is_pair(0, ['=', '>']) {
            errors.add(tokens.here(), "`->`", "`=>`", "`->`");
            tokens.take(2);
        } else if tokens.is_sign(0, '.') {
            errors.add(tokens.here(), "`->`", "`.`", "`->`");
            tokens.bump();
        } else {
            if tokens.is_word(0, "let") {
                errors.add(tokens.here(), "`;`", "`let`", "end the statement before it with `;`");
            }
            return chain;
        }
        if tokens.at_end() || tokens.is_sign(0, ';') {
            errors.add(arrow, "a layer after `->`", &tokens.found(), "write a layer there, or remove the arrow");
            chain.broken = true;
            return chain;
        }
    }
}

/// Where a step is over: at an arrow or what was typed instead of one, at `;`, at `let`.
fn ends_step(tokens: &Tokens, ahead: usize) -> bool {
    let dot = tokens.is_sign(ahead, '.') && tokens.ident(ahead + 1).is_some_and(|word| !is_value(word));
    let wrong = tokens.is_pair(ahead, ['=', '>']) || dot;
    tokens.is_arrow(ahead) || wrong || tokens.is_sign(ahead, ';') || (ahead > 0 && tokens.is_word(ahead, "let"))
}

/// `name` or `(name, name)` where a chain begins; false if something else does.
fn source(step: &mut Tokens, chain: &mut Chain, errors: &mut Errors) -> bool {
    let only = step.peek(1).is_none();
    match step.peek(0).cloned() {
        Some(TokenTree::Ident(name)) if only && is_value(&name) => {
            let tokens = step.rest();
            chain.source = Some(Source { names: vec![name], tokens });
            true
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            let tokens = TokenStream::from(TokenTree::Group(group.clone()));
            step.bump();
            match names_in(&group, errors) {
                Some(names) => chain.source = Some(Source { names, tokens }),
                None => chain.broken = true,
            }
            true
        }
        _ => false,
    }
}
