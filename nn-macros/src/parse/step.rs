//! What stands between two arrows. In: its tokens; out: one more step of a chain. What is left over behind a
//! step is left in place for whoever cuts statements.

use proc_macro2::{Delimiter, Ident, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Expr, ExprPath, Path};

use super::args::{args, shape_is_sound};
use super::pretty::pretty;
use super::tokens::{Tokens, describe};
use crate::ast::{Chain, Layer, LayerUse, Step, What};
use crate::case::{camel, is_keyword, is_value};
use crate::errors::Errors;

/// `[64, 5, 5]`, or `frozen label: layer(…) * n`, or `share(label)`
pub fn step(tokens: &mut Tokens, chain: &mut Chain, errors: &mut Errors) {
    if let Some(shape) = tokens.group(0, Delimiter::Bracket).cloned() {
        tokens.bump();
        shape_is_sound(&shape, errors);
        chain.steps.push(Step::Shape(shape));
        return;
    }
    if let (Some(word), None) = (tokens.ident(0).cloned(), tokens.peek(1))
        && is_value(&word)
        && word != "share"
    {
        tokens.bump();
        chain.steps.push(Step::Word(word));
        return;
    }
    let frozen = frozen(tokens);
    let label = label(tokens, errors);
    let what = if tokens.is_word(0, "share") && !tokens.is_pair(1, [':', ':']) {
        share(tokens, errors)
    } else {
        layer(tokens, errors).map(|layer| What::Layer(Box::new(layer)))
    };
    match what {
        Some(what) => chain.steps.push(Step::Use(Box::new(LayerUse { frozen, label, what }))),
        None => chain.broken = true,
    }
}

/// Tokens behind a step that no arrow and no `;` separates: the next statement begins there. Says so; true if
/// it may.
pub fn next_statement(tokens: &mut Tokens, errors: &mut Errors) -> bool {
    let begins = matches!(tokens.peek(0), Some(TokenTree::Ident(_) | TokenTree::Group(_)));
    let help = if begins { "write `->` to go on, or `;` to end the statement" } else { "remove it" };
    errors.add(tokens.here(), "`->` or `;`", &tokens.found(), help);
    if !begins {
        tokens.rest();
    }
    begins
}

/// `frozen`, unless that is a label's name.
fn frozen(tokens: &mut Tokens) -> Option<Ident> {
    let frozen = tokens.ident(0).filter(|word| *word == "frozen").cloned();
    let named = tokens.is_sign(1, ':') || tokens.group(1, Delimiter::Parenthesis).is_some();
    let frozen = frozen.filter(|_| !named)?;
    tokens.bump();
    Some(frozen)
}

/// `label:`
fn label(tokens: &mut Tokens, errors: &mut Errors) -> Option<Ident> {
    // `::path::Layer` begins with what looks like one.
    if !tokens.is_colon(1) || tokens.is_pair(0, [':', ':']) {
        return None;
    }
    let token = tokens.bump()?;
    tokens.bump();
    let TokenTree::Ident(label) = token else {
        let found = describe(&token);
        errors.add(token, "a label", &found, "`name: Layer`");
        return None;
    };
    let text = label.to_string();
    if is_keyword(&label) {
        let found = format!("the Rust keyword `{text}`");
        errors.add(&label, "a label", &found, &format!("`{text}_: …`"));
        return None;
    }
    Some(label)
}

/// `share(label)`
fn share(tokens: &mut Tokens, errors: &mut Errors) -> Option<What> {
    let keyword = tokens.ident(0).cloned()?;
    let here = tokens.here();
    tokens.bump();
    let Some(group) = tokens.group(0, Delimiter::Parenthesis).cloned() else {
        errors.add(here, "a label in parentheses", &tokens.found(), "`share(label)`");
        return None;
    };
    tokens.bump();
    let mut inner = Tokens::new(group.stream());
    match (inner.bump(), inner.at_end()) {
        (Some(TokenTree::Ident(label)), true) => {
            let tokens = [TokenTree::from(keyword.clone()), group.clone().into()].into_iter().collect();
            Some(What::Share { keyword, label, tokens })
        }
        (None, _) => {
            errors.add(&group, "a label in parentheses", "`()`", "`share(label)`");
            None
        }
        _ => {
            let stream = group.stream();
            errors.add(&stream, "one label", &format!("`{}`", pretty(&stream)), "`share(label)`");
            None
        }
    }
}

/// `path(…) * n`. Behind a fault in it nothing is left over: it is told once.
fn layer(tokens: &mut Tokens, errors: &mut Errors) -> Option<Layer> {
    let Some(path) = path(tokens, errors) else {
        tokens.rest();
        return None;
    };
    let group = tokens.group(0, Delimiter::Parenthesis).cloned();
    tokens.take(usize::from(group.is_some()));
    let args = group.map(|group| args(&group, errors));
    let mut times = None;
    if tokens.is_sign(0, '*') {
        let star = tokens.bump();
        times = tokens.parse::<Expr>();
        if times.is_none() {
            let found = if tokens.at_end() { "the end".to_owned() } else { format!("`{}`", tokens.rest()) };
            errors.add(star, "how many times after `*`", &found, "`* 2`");
        }
    }
    Some(Layer { path, args, times })
}

fn path(tokens: &mut Tokens, errors: &mut Errors) -> Option<Path> {
    let here = tokens.here();
    let found = tokens.found();
    let values = tokens.group(0, Delimiter::Parenthesis).is_some();
    let literal = matches!(tokens.peek(0), Some(TokenTree::Literal(_)));
    let Some(ExprPath { path, qself: None, .. }) = tokens.parse::<ExprPath>() else {
        let help = match (values, literal) {
            (true, _) => "several values may only begin a statement: write `;` before them".to_owned(),
            (_, true) => {
                format!("a layer is a name, as `Name({0})`; a shape is checked by `[{0}]`", found.trim_matches('`'))
            }
            _ => "a layer is a name, as `Name` or `Name(8, option = 2)`".to_owned(),
        };
        errors.add(here, "a layer", &found, &help);
        return None;
    };
    if tokens.is_sign(0, '<') {
        let help = format!("`{}::<…>`", written(&path));
        errors.add(tokens.here(), "`::<`", "`<`", &help);
        return None;
    }
    if let Some(kind) = path.segments.last().map(|last| &last.ident)
        && is_value(kind)
    {
        let args =
            tokens.group(0, Delimiter::Parenthesis).map_or_else(String::new, |group| pretty(&group.to_token_stream()));
        let help = format!("`{}{args}`", camel(&kind.unraw().to_string()));
        errors.add(kind, "a layer", &format!("`{kind}`"), &help);
        // It is read as if it had been written well, so that its arguments are looked at too.
    }
    Some(path)
}

fn written(path: &Path) -> String {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>().join("::")
}
