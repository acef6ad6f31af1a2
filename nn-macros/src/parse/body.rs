//! What stands between the braces. In: a group of tokens; out: statements, each a chain with the names it
//! binds. Cuts at `;` and at arrows; what stands between two arrows is read next door.

use proc_macro2::{Delimiter, Group, Ident, TokenTree};

use super::pretty::pretty;
use super::source::{names_in, source};
use super::tokens::Tokens;
use super::{Values, foreign, step, wrapped};
use crate::ast::{Chain, Statement};
use crate::case::{is_keyword, is_value};
use crate::errors::Errors;

pub fn statements(body: &Group, values: &Values, errors: &mut Errors) -> Vec<Statement> {
    let mut tokens = Tokens::new(body.stream());
    let mut statements = Vec::new();
    // Where a statement has broken off without a `;`, what follows is told by that.
    let (mut unsaid, mut quiet, mut told) = (Errors::default(), false, false);
    while !tokens.at_end() {
        if tokens.is_sign(0, ';') {
            errors.add(tokens.here(), "a layer", "`;`", "remove it");
            tokens.bump();
            continue;
        }
        let before = errors.count();
        quiet |= told && tokens.is_arrow(0);
        let said = if quiet { &mut unsaid } else { &mut *errors };
        let (statement, closed) = statement(&mut tokens, values, said);
        statements.push(statement);
        told = quiet || errors.count() > before;
        quiet = !closed && told;
    }
    statements
}

/// `let names = chain;`, and whether a `;` ends it.
fn statement(tokens: &mut Tokens, values: &Values, errors: &mut Errors) -> (Statement, bool) {
    step::attributes(tokens, errors);
    let binds = tokens.is_word(0, "let") || foreign::misspelt_let(tokens, errors);
    let (names, sound) = if binds { names(tokens, errors) } else { (foreign::assigned(tokens, errors), true) };
    let (bind, open) = (!names.is_empty(), binds && !sound);
    let left_out = foreign::of_self(tokens, errors);
    if !bind && foreign::changed(tokens, values, errors) {
        tokens.take(usize::from(tokens.is_sign(0, ';')));
        return (Statement { names, open, chain: Chain { broken: true, ..Chain::default() } }, true);
    }
    let mut chain = chain(tokens, (bind, sound), values, errors);
    chain.broken |= !sound || left_out;
    let closed = tokens.is_sign(0, ';');
    // The next one has its own `let`, where this one has been told to lack its `;`.
    let whole = closed || tokens.is_word(0, "let");
    tokens.take(usize::from(closed));
    (Statement { names, open, chain }, whole)
}

/// `let names =`, and whether it could be read. What could not counts as bound all the same.
fn names(tokens: &mut Tokens, errors: &mut Errors) -> (Vec<Ident>, bool) {
    tokens.bump();
    if tokens.is_word(0, "let") {
        errors.add(tokens.here(), "the name of a value", "`let`", "remove it");
        tokens.bump();
    }
    if tokens.is_word(0, "mut") && tokens.ident(1).is_some() {
        errors.add(tokens.here(), "the name of a value", "`mut`", "remove it: a value does not change");
        tokens.bump();
    }
    let (names, mut sound) = match tokens.peek(0).cloned() {
        Some(TokenTree::Ident(_)) if tokens.is_sign(1, ',') && tokens.ident(2).is_some() => several(tokens, errors),
        Some(TokenTree::Ident(name)) => {
            tokens.bump();
            (vec![name], true)
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => several(tokens, errors),
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            tokens.bump();
            let (names, sound) = names_in(&group, true, errors);
            (names, foreign::only_name(&group, errors) && sound)
        }
        // `let = name Layer`
        Some(_) if tokens.is_sign(0, '=') && tokens.ident(1).is_some_and(is_value) && tokens.ident(2).is_some() => {
            let (sign, name) = (tokens.here(), tokens.ident(1).cloned());
            let help = name.iter().map(|name| format!("`let {name} = …;`")).collect::<String>();
            errors.add(sign, "the name of a value", "`=`", &help);
            tokens.swap();
            tokens.bump();
            (name.into_iter().collect(), false)
        }
        _ => {
            errors.add(tokens.here(), "the name of a value", &tokens.found(), "`let name = …;`");
            let ahead = tokens.until(|tokens, ahead| tokens.is_sign(ahead, '=') || tokens.is_sign(ahead, ';'));
            tokens.take(ahead);
            (Vec::new(), false)
        }
    };
    if tokens.is_sign(0, '=') && !tokens.is_pair(0, ['=', '>']) {
        tokens.bump();
        if tokens.is_sign(0, '=') {
            errors.add(tokens.here(), "a layer or a value", "`=`", "remove it");
            tokens.bump();
        }
        return (names, sound);
    }
    if tokens.is_colon(0) {
        errors.add(tokens.here(), "`=`", "`:`", "a shape is checked in the flow: `let name = … -> [10];`");
        sound = false;
    } else if !names.is_empty() && sound {
        let name = names.iter().map(Ident::to_string).collect::<Vec<_>>().join(", ");
        let name = if names.len() > 1 { format!("({name})") } else { name };
        errors.add(tokens.here(), "`=`", &tokens.found(), &format!("`let {name} = …;`"));
        sound = false;
        if tokens.is_arrow(0) {
            tokens.take(2);
            return (names, sound);
        }
    }
    let ahead = tokens.until(|tokens, ahead| tokens.is_sign(ahead, '=') || tokens.is_sign(ahead, ';'));
    if tokens.is_sign(ahead, '=') {
        tokens.take(ahead + 1);
    }
    (names, sound)
}

/// `let a, b =` and `let [a, b] =`
fn several(tokens: &mut Tokens, errors: &mut Errors) -> (Vec<Ident>, bool) {
    let end = tokens.until(|tokens, ahead| tokens.is_sign(ahead, '=') || tokens.is_sign(ahead, ';'));
    let written = tokens.take(end);
    let names = wrapped::idents(written.clone());
    let help = format!("`let {} = …;`", foreign::list(&names));
    errors.add(&written, "the names of values in parentheses", &format!("`{}`", pretty(&written)), &help);
    (names, false)
}

/// `source -> step -> step`, up to the `;` or to where the next statement begins without one.
/// Where something has been told of it, that an arrow is missing further on is not.
fn chain(tokens: &mut Tokens, (binds, sound): (bool, bool), values: &Values, errors: &mut Errors) -> Chain {
    let before = errors.count();
    let told = |errors: &Errors| !sound || errors.count() > before;
    let mut chain = Chain::default();
    if tokens.at_end() || tokens.is_sign(0, ';') {
        if sound {
            errors.add(tokens.here(), "a layer", &tokens.found(), "`let name = …;`");
        }
        chain.broken = true;
        return chain;
    }
    let mut first = true;
    let (mut unsaid, mut lost) = (Errors::default(), false);
    loop {
        // Behind an arrow too many, what stands there is told by that.
        let errors = if lost { &mut unsaid } else { &mut *errors };
        let count = tokens.until(ends_step);
        if count == 0 {
            if !told(errors) {
                errors.add(tokens.here(), "a layer", &tokens.found(), "write a layer there, or remove the arrow");
            }
            (chain.broken, lost) = (true, true);
        } else {
            let mut step = Tokens::new(tokens.take(count));
            let whole = first && source(&mut step, &mut chain, values, errors);
            if !whole {
                step::step(&mut step, &mut chain, values, errors);
            }
            first = false;
            let arrow = tokens.is_arrow(0).then(|| tokens.here());
            let goes_on = foreign::behind_step(&mut step, &mut chain, values, arrow, errors);
            if step.at_end() && goes_on {
                // `-->`: what was left over is part of the arrow.
                if tokens.is_arrow(0) {
                    tokens.take(2);
                }
                if tokens.at_end() || tokens.is_sign(0, ';') {
                    return chain;
                }
                continue;
            }
            if !step.at_end() {
                let mut unsaid = Errors::default();
                let said = if told(errors) { &mut unsaid } else { &mut *errors };
                let next = goes_on || step::next_statement(&mut step, said);
                chain.broken |= !next || chain.steps.is_empty() || binds && !goes_on;
                tokens.back(step.until(|_, _| false));
                if goes_on {
                    continue;
                }
                if !tokens.is_sign(0, ';') && (next || !tokens.is_arrow(0)) {
                    return chain;
                }
            }
        }
        first &= count == 0;
        let arrow = tokens.here();
        if tokens.is_arrow(0) {
            tokens.take(2);
        } else if tokens.is_pair(0, ['=', '>']) {
            if chain.separator.as_deref() != Some("`=>`") {
                errors.add(tokens.here(), "`->`", "`=>`", "`->`");
            }
            chain.separator = Some("`=>`".to_owned());
            tokens.take(2);
        } else {
            if tokens.is_word(0, "let") {
                errors.add(tokens.here(), "`;`", "`let`", "end the statement before it with `;`");
                if tokens.is_sign(1, ';') {
                    tokens.swap();
                }
            }
            return chain;
        }
        if tokens.at_end() || tokens.is_sign(0, ';') {
            if !told(errors) {
                errors.add(arrow, "a layer after `->`", &tokens.found(), "write a layer there, or remove the arrow");
            }
            chain.broken = true;
            // `-> ; Relu let`: the layer stands behind the `;`.
            if tokens.is_sign(0, ';')
                && tokens.ident(1).is_some_and(|word| !is_value(word) && !is_keyword(word))
                && tokens.ident(2).is_some()
            {
                tokens.swap();
                tokens.bump();
                return chain;
            }
            // `; -> Relu`: the chain goes on behind a `;` too many.
            if tokens.is_sign(0, ';') && tokens.is_arrow(1) {
                tokens.take(3);
                continue;
            }
            return chain;
        }
    }
}

/// Where a step is over: at an arrow, at `;`, at `let`.
fn ends_step(tokens: &Tokens, ahead: usize) -> bool {
    let arrow = tokens.is_arrow(ahead) || tokens.is_pair(ahead, ['=', '>']);
    arrow || tokens.is_sign(ahead, ';') || (ahead > 0 && tokens.is_word(ahead, "let"))
}
