//! What stands between two arrows. In: its tokens; out: one more step of a chain. What is left over behind a
//! step is left in place for whoever cuts statements.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Expr, ExprPath, Path};

use super::args::{args, flow_shape_is_sound};
use super::pretty::pretty;
use super::tokens::{Tokens, describe, opening};
use super::{Values, foreign, wrapped};
use crate::ast::{Chain, Layer, LayerUse, Step, What};
use crate::case::{camel, is_keyword, is_value};
use crate::errors::Errors;

/// `[64, 5, 5]`, or `frozen label: layer(…) * n`, or `share(label)`
pub fn step(tokens: &mut Tokens, chain: &mut Chain, values: &Values, errors: &mut Errors) {
    attributes(tokens, errors);
    wrapped::module(tokens, values, errors);
    if wrapped::told(tokens, chain, values, errors) {
        return;
    }
    if let Some(shape) = tokens.group(0, Delimiter::Bracket).cloned() {
        tokens.bump();
        chain.broken |= !flow_shape_is_sound(&shape, errors);
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
    let mut frozen = frozen(tokens);
    let label = label(tokens, errors);
    if label.is_some() && tokens.is_word(0, "frozen") {
        let here = tokens.here();
        frozen = self::frozen(tokens);
        let label = label.as_ref().map(ToString::to_string).unwrap_or_default();
        let help = format!("`frozen {label}: {}`", pretty(&tokens.left()));
        errors.add(here, "`frozen` before the label", "it behind the label", &help);
    }
    let what = if tokens.is_word(0, "share") && !tokens.is_pair(1, [':', ':']) {
        let what = share(tokens, errors);
        if let (Some(frozen), Some(What::Share { label, .. })) = (&frozen, &what) {
            let help = format!("freeze the layer where it is labelled: `frozen {label}: …`");
            errors.add(frozen, "`share` alone", "`frozen`", &help);
        }
        what
    } else {
        layer(tokens, errors).map(|layer| What::Layer(Box::new(layer)))
    };
    match what {
        Some(what) => chain.steps.push(Step::Use(Box::new(LayerUse { frozen, label, what }))),
        None => chain.broken = true,
    }
}

/// Documentation before a statement or a layer is for whoever reads the declaration. Anything else would have
/// no effect, and is told.
pub fn attributes(tokens: &mut Tokens, errors: &mut Errors) {
    while tokens.is_sign(0, '#') {
        let inner = usize::from(tokens.is_sign(1, '!'));
        let Some(group) = tokens.group(1 + inner, Delimiter::Bracket).cloned() else { return };
        let written = tokens.take(2 + inner);
        let content = Tokens::new(group.stream());
        if content.is_word(0, "doc") {
            continue;
        }
        let help = match content.is_word(0, "cfg") {
            true => "write a network for each case, with the attribute before its `network!`",
            false => "put it before `struct`, or remove it",
        };
        errors.add(&written, "a layer", &format!("the attribute `{}`", pretty(&written)), help);
    }
}

/// Tokens behind a step that no arrow and no `;` separates: the next statement begins there. Says so; true if
/// it may.
pub fn next_statement(tokens: &mut Tokens, errors: &mut Errors) -> bool {
    let begins = matches!(tokens.peek(0), Some(TokenTree::Ident(_) | TokenTree::Group(_)));
    let help = match begins {
        true => "write `->` to go on, or `;` to end the statement",
        false if tokens.is_sign(0, '#') => "comments begin with `//`",
        false => "remove it",
    };
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
        return foreign::odd_label(tokens, errors);
    }
    let token = tokens.bump()?;
    tokens.bump();
    let TokenTree::Ident(label) = token else {
        let found = describe(&token);
        let text: String = found.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
        let name = if text.starts_with(char::is_lowercase) { &text } else { "name" };
        errors.add(token, "a label", &found, &format!("`{name}: …`"));
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
        let help = tokens.ident(0).map_or_else(|| "`share(label)`".to_owned(), |label| format!("`share({label})`"));
        errors.add(here, "a label in parentheses", &tokens.found(), &help);
        tokens.take(usize::from(tokens.ident(0).is_some()));
        return None;
    };
    tokens.bump();
    if tokens.is_sign(0, '*') {
        let (here, again) = (tokens.here(), format!("share{}", pretty(&group.to_token_stream())));
        tokens.bump();
        let times = tokens.peek(0).and_then(|times| times.to_string().parse().ok());
        tokens.rest();
        let again = vec![again; times.filter(|times| (2..=4).contains(times)).unwrap_or(2)];
        errors.add(here, "`->` or `;`", "`*`", &format!("`{}`", again.join(" -> ")));
    }
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
    let before = times_before(tokens, errors);
    let Some(path) = path(tokens, errors) else {
        tokens.rest();
        return None;
    };
    let group = arguments(&path, tokens, errors);
    let args = group.map(|(group, sound)| {
        // What stands in wrong brackets is told by the brackets alone.
        let mut unsaid = Errors::default();
        args(&group, if sound { errors } else { &mut unsaid })
    });
    let mut times = None;
    if tokens.is_sign(0, '*') {
        let twice = tokens.is_pair(0, ['*', '*']);
        let star = if twice { tokens.take(2) } else { tokens.take(1) };
        if twice {
            errors.add(&star, "`*`", "`**`", &format!("`* {}`", pretty(&tokens.left())));
        }
        times = tokens.parse::<Expr>();
        match &times {
            Some(layer @ Expr::Call(_)) if wrapped::is_layer(&pretty(&layer.to_token_stream())) => {
                errors.add(star, "`->`", "`*`", "`->`");
            }
            Some(Expr::Unary(unary)) if matches!(unary.op, syn::UnOp::Neg(_)) => {
                let found = format!("`{}`", pretty(&unary.to_token_stream()));
                errors.add(unary, "how many times after `*`", &found, "`* 2`");
            }
            Some(_) => {}
            None => {
                let found = if tokens.at_end() { "the end".to_owned() } else { format!("`{}`", tokens.rest()) };
                errors.add(star, "how many times after `*`", &found, "`* 2`");
            }
        }
    }
    if let Some((number, written)) = before {
        let mut layer = path.to_token_stream();
        layer.extend(args.as_ref().map(|args| args.group.to_token_stream()));
        let found = format!("`{}`", pretty(&written));
        errors.add(written, "a layer", &found, &format!("`{} * {number}`", pretty(&layer)));
    }
    Some(Layer { path, args, times })
}

/// `3 * Layer`: the number, and what to underline.
fn times_before(tokens: &mut Tokens, _: &mut Errors) -> Option<(String, TokenStream)> {
    let Some(TokenTree::Literal(number)) = tokens.peek(0) else { return None };
    let number = number.to_string();
    let times = tokens.is_sign(1, '*') || tokens.is_word(1, "x");
    (times && tokens.ident(2).is_some()).then(|| (number, tokens.take(2)))
}

/// `(…)` behind a path, and whether it is one: `[…]` and `{…}` are told, and read as if they were.
fn arguments(path: &Path, tokens: &mut Tokens, errors: &mut Errors) -> Option<(Group, bool)> {
    let bare = match tokens.peek(0) {
        Some(TokenTree::Literal(_)) => true,
        Some(TokenTree::Ident(name)) => {
            let name = name.to_string();
            name.len() > 1 && name.chars().all(|c| c.is_uppercase() || c.is_ascii_digit() || c == '_')
        }
        _ => false,
    };
    if bare {
        // `Dense 64`
        let written = tokens.take(1);
        let (found, name) = (pretty(&written), self::written(path));
        errors.add(&written, "`(…)`", &format!("`{found}`"), &format!("`{name}({found})`"));
        return Some((Group::new(Delimiter::Parenthesis, written), false));
    }
    let Some(TokenTree::Group(group)) = tokens.peek(0).cloned() else { return None };
    let found = match group.delimiter() {
        Delimiter::Parenthesis => {
            tokens.bump();
            return Some((group, true));
        }
        Delimiter::Bracket => "`[…]`",
        Delimiter::Brace => "`{…}`",
        Delimiter::None => return None,
    };
    tokens.bump();
    let (name, inner) = (written(path), pretty(&group.stream()));
    let help = match group.delimiter() {
        Delimiter::Bracket => format!("`{name}({inner})`; to check a shape, `{name} -> [{inner}]`"),
        _ => format!("`{name}({})`", inner.replace(": ", " = ")),
    };
    errors.add(opening(&TokenTree::Group(group.clone())), "`(…)`", found, &help);
    let mut round = Group::new(Delimiter::Parenthesis, group.stream());
    round.set_span(group.span());
    Some((round, false))
}

fn path(tokens: &mut Tokens, errors: &mut Errors) -> Option<Path> {
    let here = tokens.here();
    let found = tokens.found();
    let values = tokens.group(0, Delimiter::Parenthesis).cloned();
    let literal = matches!(tokens.peek(0), Some(TokenTree::Literal(_)));
    let word = tokens.ident(0).map(ToString::to_string);
    let Some(ExprPath { mut path, qself: None, .. }) = tokens.parse::<ExprPath>() else {
        let text = found.strip_prefix("`\"").and_then(|text| text.strip_suffix("\"`"));
        let help = match (values, literal, word.as_deref().and_then(foreign::keyword_help)) {
            (_, _, Some(help)) => help.to_owned(),
            _ if text.is_some_and(|text| text.chars().all(|c| c.is_alphanumeric() || c == '_')) => {
                format!("`{}`", camel(text.unwrap_or_default()))
            }
            (Some(ways), ..) if wrapped::ways(&ways).is_some() => wrapped::ways(&ways).unwrap_or_default(),
            (Some(values), ..) if is_numbers(&values) => format!("`[{}]`", pretty(&values.stream())),
            (Some(_), ..) => "several values may only begin a statement: write `;` before them".to_owned(),
            (_, true, _) => {
                format!("a layer is a name, as `Name({0})`; a shape is checked by `[{0}]`", found.trim_matches('`'))
            }
            _ if tokens.is_sign(0, '#') => "comments begin with `//`".to_owned(),
            _ if tokens.group(0, Delimiter::Brace).is_some() => "remove the braces: layers stand in a row".to_owned(),
            _ => "a layer is a name, as `Name` or `Name(8, option = 2)`".to_owned(),
        };
        errors.add(here, "a layer", &found, &help);
        return None;
    };
    if tokens.is_sign(0, '<') && !tokens.is_pair(0, ['<', '-']) {
        let inner = tokens.until(|tokens, ahead| tokens.is_sign(ahead, '>'));
        let (here, name) = (tokens.here(), written(&path));
        let angle = tokens.take(inner + 1);
        let content: TokenStream = angle.into_iter().skip(1).take(inner.saturating_sub(1)).collect();
        let numbers = matches!(content.clone().into_iter().next(), Some(TokenTree::Literal(_)));
        let help = match (numbers, tokens.group(0, Delimiter::Parenthesis).is_some()) {
            (true, false) => format!("`{name}({})`", pretty(&content)),
            _ => format!("`{name}::<{}>`", pretty(&content)),
        };
        errors.add(here, "`::<`", "`<`", &help);
        return None;
    }
    let count = path.segments.len();
    let Some(kind) = path.segments.last().map(|last| last.ident.clone()).filter(is_value) else { return Some(path) };
    let args =
        tokens.group(0, Delimiter::Parenthesis).map_or_else(String::new, |group| pretty(&group.to_token_stream()));
    if count > 1 && !is_value(&path.segments[count - 2].ident) {
        // `Layer::new(…)`, or `F::relu`, a function of a module
        let whole = written(&path);
        path.segments.pop();
        path.segments.pop_punct();
        let made = ["new", "default", "build", "init"].contains(&&*kind.to_string());
        let name = if made { written(&path) } else { camel(&kind.to_string()) };
        let inner = args.trim_start_matches('(').trim_end_matches(')');
        let help = match made && inner.contains('(') && wrapped::is_layer(inner) {
            // `Box::new(Dense(8))`
            true => format!("`{inner})`"),
            false => format!("`{name}{}`", args.trim_end_matches("()")),
        };
        errors.add(kind, "a layer", &format!("`{whole}`"), &help);
        return Some(path);
    }
    if count == 1
        && let Some(help) = foreign::word_help(&kind.to_string(), tokens)
    {
        errors.add(&kind, "a layer", &format!("`{kind}`"), &help);
        return None;
    }
    let help = format!("`{}{args}`", camel(&kind.unraw().to_string()));
    errors.add(&kind, "a layer", &format!("`{kind}`"), &help);
    // It is read as if it had been written well, so that its arguments are looked at too.
    Some(path)
}

/// True for `(8)` and `(64, 5, 5)`.
fn is_numbers(group: &Group) -> bool {
    let mut tokens = group.stream().into_iter();
    tokens.all(|token| matches!(&token, TokenTree::Literal(_)) || token.to_string() == ",")
        && !group.stream().is_empty()
}

fn written(path: &Path) -> String {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>().join("::")
}
