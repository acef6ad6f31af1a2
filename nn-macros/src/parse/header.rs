//! What stands before the braces. In: tokens from the start; out: attributes, visibility, name and ports, as
//! far as they can be read. A missing piece is reported once and taken as absent.

use proc_macro2::{Delimiter, Group, Ident, TokenTree};
use quote::ToTokens;
use syn::parse::Parser;
use syn::{Attribute, Visibility};

use super::args::shape_is_sound;
use super::budget::budget;
use super::pretty::pretty;
use super::sizes;
use super::tokens::{Tokens, opening};
use super::weights;
use crate::ast::{Header, Port, Weights};
use crate::case::is_keyword;
use crate::errors::Errors;

const GIVE_NAMES: &str = "give each one a name: `(image: [1, 28, 28], tags: [16])`";
const EXAMPLE: &str = "`pub struct Name: [784] -> [10] { … }`";

/// `attrs vis struct Name: ports -> ports`; stops before the braces. `None` without a name.
pub fn header(tokens: &mut Tokens, errors: &mut Errors) -> Option<Header> {
    let mut attrs = attributes(tokens, errors);
    let weights = weights::take(&mut attrs, errors);
    let mut limits = Vec::new();
    attrs.retain(|attr| match budget(attr, errors) {
        Some(own) => {
            limits.extend(own);
            false
        }
        None => true,
    });
    let vis = tokens.parse::<Visibility>().unwrap_or(Visibility::Inherited);
    let before = errors.count();
    let name = name(tokens, errors)?;
    // What follows another word than `struct` is read as far as it goes, and one habit is told once.
    let mut unsaid = Errors::default();
    let errors = if errors.count() > before { &mut unsaid } else { errors };
    let before = errors.count();
    let sizes = sizes::take(tokens, errors);
    let help = format!("`{name}: [784] -> [10]`");
    let colon = tokens.is_colon(0);
    if colon {
        tokens.bump();
    } else if errors.count() == before {
        errors.add(tokens.here(), "`:` and the shape of the input", &tokens.found(), &help);
    }
    let mut unsaid = Errors::default();
    let said = if colon { &mut *errors } else { &mut unsaid };
    let inputs = if colon || is_ports(tokens) { ports(tokens, said, "the shape of the input", &help) } else { None };
    let errors = if errors.count() > before { &mut unsaid } else { errors };
    let outputs = outputs(tokens, errors, inputs.as_deref());
    match (&sizes, &weights) {
        (Some(_), Some(Weights { path: Some(path), .. })) => {
            let help = format!("`Any{name}::load(path)`, which takes the size of the file's tensors");
            let found = format!("`{}`", pretty(&path.to_token_stream()));
            errors.add(path, "no weights for a network of several sizes", &found, &help);
        }
        (None, Some(Weights { path: Some(path), .. })) => weights::is_there(path, errors),
        _ => {}
    }
    Some(Header { attrs, weights, budget: limits, vis, name, sizes, size: None, inputs, outputs })
}

/// `{ … }`, and nothing behind it.
pub fn braces(tokens: &mut Tokens, errors: &mut Errors) -> Option<Group> {
    let ahead = tokens.until(|tokens, ahead| tokens.group(ahead, Delimiter::Brace).is_some());
    // `struct Net { input: … } { … }`: what is wrong with the first has been told.
    let fields = !errors.is_empty() && tokens.group(ahead + 1, Delimiter::Brace).is_some();
    let ahead = ahead + usize::from(fields);
    let Some(body) = tokens.group(ahead, Delimiter::Brace).cloned() else {
        if errors.is_empty() {
            errors.add(tokens.here(), "the layers in braces", &tokens.found(), EXAMPLE);
        }
        return None;
    };
    if ahead > 0 && errors.is_empty() {
        let extra = ahead == 1 && !matches!(tokens.peek(0), Some(TokenTree::Group(_)));
        let help = if extra { "remove it" } else { EXAMPLE };
        errors.add(tokens.here(), "the layers in braces", &tokens.found(), help);
    }
    tokens.take(ahead + 1);
    if !tokens.at_end() {
        let help = match tokens.is_sign(0, ';') && tokens.peek(1).is_none() {
            true => "remove it",
            false => "declare each network in a `network! { … }` of its own",
        };
        errors.add(tokens.here(), "nothing after the braces", &tokens.found(), help);
    }
    Some(body)
}

fn attributes(tokens: &mut Tokens, errors: &mut Errors) -> Vec<Attribute> {
    let mut attrs = Vec::new();
    while tokens.is_sign(0, '#') && tokens.group(1, Delimiter::Bracket).is_some() {
        let written = tokens.take(2);
        match Attribute::parse_outer.parse2(written.clone()) {
            Ok(parsed) => attrs.extend(parsed.into_iter().filter(|attr| !derives_again(attr, errors))),
            Err(_) => errors.add(&written, "an attribute", &format!("`{written}`"), "`#[doc = \"…\"]` or `/// …`"),
        }
    }
    attrs
}

fn name(tokens: &mut Tokens, errors: &mut Errors) -> Option<Ident> {
    if tokens.is_word(0, "struct") {
        tokens.bump();
    } else {
        errors.add(tokens.here(), "`struct`", &tokens.found(), EXAMPLE);
        // `enum Name:` has a word too many, `Name:` one too few.
        if tokens.ident(1).is_some() {
            tokens.bump();
        }
    }
    match tokens.bump() {
        Some(TokenTree::Ident(name)) if !is_keyword(&name) => Some(name),
        other => {
            tokens.back(usize::from(other.is_some()));
            if errors.is_empty() {
                errors.add(tokens.here(), "the name of the network", &tokens.found(), EXAMPLE);
            }
            None
        }
    }
}

/// `-> ports`, behind these; without them the header is already known to break off.
fn outputs(tokens: &mut Tokens, errors: &mut Errors, inputs: Option<&[Port]>) -> Option<Vec<Port>> {
    let help = "`-> [10]`";
    if tokens.is_sign(0, ',') && (tokens.is_arrow(1) || tokens.is_pair(1, ['=', '>'])) {
        errors.add(tokens.here(), "`->`", "`,`", "remove it");
        tokens.bump();
    }
    if tokens.is_arrow(0) {
        tokens.take(2);
    } else if tokens.is_pair(0, ['=', '>']) {
        errors.add(tokens.here(), "`->`", "`=>`", help);
        tokens.take(2);
    } else if let (Some(first), true) = (tokens.group(0, Delimiter::Bracket).cloned(), tokens.is_arrow(1)) {
        let before = inputs.into_iter().flatten().filter_map(|port| port.shape.as_ref());
        let all: Vec<String> = before.chain([&first]).map(|shape| pretty(&shape.stream())).collect();
        let help = format!("`[{}]`", all.join(", "));
        errors.add(&first, "all dimensions in one pair of brackets", "`[…]` again", &help);
        tokens.take(3);
    } else if is_ports(tokens) {
        errors.add(tokens.here(), "`->`", &tokens.found(), help);
    } else {
        if inputs.is_some() {
            errors.add(tokens.here(), "`->` and the shape of the output", &tokens.found(), help);
        }
        return None;
    }
    ports(tokens, errors, "the shape of the output", help)
}

fn is_ports(tokens: &Tokens) -> bool {
    tokens.group(0, Delimiter::Bracket).is_some() || tokens.group(0, Delimiter::Parenthesis).is_some()
}

/// `[10]` or `(class: [10], bounds: [4])`
fn ports(tokens: &mut Tokens, errors: &mut Errors, expected: &str, help: &str) -> Option<Vec<Port>> {
    if let Some(group) = tokens.group(0, Delimiter::Bracket).cloned() {
        tokens.bump();
        let shape = shape_is_sound(&group, errors).then_some(group);
        return Some(vec![Port { name: None, shape }]);
    }
    if let Some(group) = tokens.group(0, Delimiter::Parenthesis).cloned() {
        tokens.bump();
        return named_ports(&group, errors, expected);
    }
    let named = tokens.group(0, Delimiter::Brace).filter(|_| tokens.is_arrow(1)).cloned();
    let help = match (named, tokens.peek(0), tokens.group(2, Delimiter::Bracket)) {
        (Some(group), ..) => {
            errors.add(opening(&group.clone().into()), expected, "`{…}`", &format!("`({})`", pretty(&group.stream())));
            tokens.bump();
            return None;
        }
        (_, Some(TokenTree::Literal(number)), _) => &format!("`[{number}]`"),
        (_, Some(TokenTree::Ident(name)), Some(shape)) if tokens.is_colon(1) => {
            &format!("`({name}: {})`", pretty(&shape.to_token_stream()))
        }
        _ => help,
    };
    errors.add(tokens.here(), expected, &tokens.found(), help);
    // Whatever stands there instead of a shape is skipped, up to something that is known.
    let ahead = tokens.until(|tokens, ahead| tokens.is_arrow(ahead) || tokens.group(ahead, Delimiter::Brace).is_some());
    tokens.take(ahead);
    None
}

fn named_ports(group: &Group, errors: &mut Errors, expected: &str) -> Option<Vec<Port>> {
    let mut tokens = Tokens::new(group.stream());
    if tokens.at_end() {
        errors.add(group, expected, "`()`", "`(name: [10])`");
        return None;
    }
    let whole =
        tokens.until(|tokens, ahead| tokens.is_colon(ahead) || tokens.group(ahead, Delimiter::Bracket).is_some());
    if tokens.peek(whole).is_none() {
        let dimensions = pretty(&group.stream());
        errors.add(group, expected, &format!("`({dimensions})`"), &format!("`[{dimensions}]`"));
        return None;
    }
    let mut ports = Vec::new();
    let (before, mut unsaid) = (errors.count(), Errors::default());
    while !tokens.at_end() {
        let errors = if errors.count() > before { &mut unsaid } else { &mut *errors };
        let end = tokens.until(|tokens, ahead| tokens.is_sign(ahead, ','));
        let mut port = Tokens::new(tokens.take(end));
        tokens.bump();
        if port.at_end() {
            errors.add(group, "`name: [10]`", "`,`", "remove the comma");
            continue;
        }
        let name = port.ident(0).cloned();
        if name.is_none() || !port.is_colon(1) {
            port.take(usize::from(name.is_some()));
            // All of them without a name are one mistake.
            if !ports.iter().any(|port: &Port| port.name.is_none()) {
                let typed = match (&name, port.group(1, Delimiter::Bracket)) {
                    (Some(name), Some(shape)) if port.is_sign(0, '=') => {
                        Some(format!("`{name}: {}`", pretty(&shape.to_token_stream())))
                    }
                    _ => None,
                };
                let help = typed.unwrap_or_else(|| GIVE_NAMES.to_owned());
                errors.add(port.here(), "`name: [10]`", &port.found(), &help);
            }
            ports.push(Port { name, shape: None });
            continue;
        }
        port.take(2);
        let shape = match port.group(0, Delimiter::Bracket).cloned() {
            Some(shape) => {
                port.bump();
                if port.at_end() {
                    shape_is_sound(&shape, errors).then_some(shape)
                } else {
                    errors.add(port.here(), "`,`", &port.found(), "separate them with commas");
                    None
                }
            }
            None => {
                let help = match (port.peek(0), &name) {
                    (Some(TokenTree::Literal(number)), Some(name)) => format!("`{name}: [{number}]`"),
                    _ => "`name: [10]`".to_owned(),
                };
                errors.add(port.here(), "a shape", &port.found(), &help);
                None
            }
        };
        ports.push(Port { name, shape });
    }
    ports.iter().all(|port| port.name.is_some()).then_some(ports)
}

/// What every network derives by itself.
const DERIVED: [&str; 4] = ["Clone", "Copy", "Debug", "Default"];

/// `#[derive(…)]` of what is derived anyway, which is told.
fn derives_again(attr: &Attribute, errors: &mut Errors) -> bool {
    let syn::Meta::List(list) = &attr.meta else { return false };
    let words: Vec<String> = list.tokens.clone().into_iter().map(|token| token.to_string()).collect();
    if !attr.path().is_ident("derive") || !words.iter().any(|word| DERIVED.contains(&&**word)) {
        return false;
    }
    let rest: Vec<&str> =
        words.iter().map(|word| &**word).filter(|word| *word != "," && !DERIVED.contains(word)).collect();
    let help = match rest.is_empty() {
        true => "remove it".to_owned(),
        false => format!("`#[derive({})]`", rest.join(", ")),
    };
    let found = format!("`{}`", pretty(&attr.to_token_stream()));
    errors.add(
        attr,
        "no derive of what a network derives by itself: `Clone`, `Copy`, `Debug`, `Default`",
        &found,
        &help,
    );
    true
}
