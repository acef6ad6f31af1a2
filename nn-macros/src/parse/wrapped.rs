//! Layers and values within parentheses, as other libraries write them: `relu(Dense(8))`, `Sequential(…)`,
//! `nn.relu(x)`, `self.fc(x)`. In: a step's tokens; out: one error each, with the chain that is meant. It
//! knows no layer, only what others call their functions and containers.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;

use super::Values;
use super::pretty::pretty;
use super::tokens::Tokens;
use crate::ast::{Chain, Source};
use crate::case::{camel, is_keyword, is_value};
use crate::errors::Errors;

/// True if the step was one of these, which is then told; nothing else is said of its chain.
pub fn told(step: &mut Tokens, chain: &mut Chain, values: &Values, errors: &mut Errors) -> bool {
    let is = macro_call(step, errors)
        || container(step, errors)
        || function(step, chain, values, errors)
        || of_module(step, values, errors);
    chain.broken |= is;
    is
}

/// `Sequential(…)`, `Residual(…)`, `Repeat(3, …)`, `repeat(3) { … }`, `Bidirectional(…)` and
/// `TimeDistributed(…)` around layers.
fn container(step: &mut Tokens, errors: &mut Errors) -> bool {
    let Some(word) = step.ident(0).map(Ident::to_string) else { return false };
    let Some(TokenTree::Group(mut group)) = step.peek(1).cloned() else { return false };
    let mut count = 2;
    let mut times = None;
    if let Some(TokenTree::Group(body)) = step.peek(2).cloned() {
        times = Some(pretty(&group.stream()));
        (group, count) = (body, 3);
    }
    let parts = layers(&group);
    let row = parts.join(" -> ");
    // What is given may be words and structs of an own layer of that name.
    let call = |part: &String| is_layer(part) && part.contains('(') && !part.starts_with("Pad(");
    let held = row.contains("->") || parts.iter().any(call);
    let help = match &*word.to_lowercase() {
        _ if !held => return false,
        "sequential" | "chain" | "stack" => format!("`{row}`"),
        "residual" | "skip" | "skipconnection" => {
            format!("name both ways: `let x = input; let y = x -> {row}; (x, y) -> Sum`")
        }
        "repeat" => {
            let number = |part: &&String| part.parse::<usize>().is_ok();
            let n = times.or_else(|| parts.iter().find(number).cloned()).unwrap_or_else(|| "2".to_owned());
            let layers: Vec<&String> = parts.iter().filter(|part| !number(part)).collect();
            match &layers[..] {
                [only] if !only.contains("->") => format!("`{only} * {n}`"),
                _ => format!("declare what repeats as a network of its own: `Block * {n}`"),
            }
        }
        "bidirectional" => match row.strip_suffix(')') {
            Some(open) => format!("`{open}, direction = Both)`"),
            None => return false,
        },
        "some" | "ok" | "box" | "arc" | "rc" if parts.len() == 1 => format!("`{row}`"),
        "timedistributed" => match row.split_once('(') {
            Some((layer, args)) => format!("`{layer}PerStep({args}`"),
            None => return false,
        },
        "relu" | "tanh" | "sigmoid" | "softmax" | "gelu" | "silu" | "elu" | "selu" | "mish" | "dropout" | "flatten"
        | "batchnorm" | "layernorm"
            if word.starts_with(char::is_uppercase) && parts.first().is_some_and(call) =>
        {
            let rest: Vec<String> = parts.iter().skip(1).cloned().collect();
            let args = if rest.is_empty() { String::new() } else { format!("({})", rest.join(", ")) };
            format!("`{} -> {word}{args}`", parts[0])
        }
        _ => return false,
    };
    let place = step.take(1);
    step.take(count - 1);
    errors.add(place, "layers with arrows between them", &format!("`{word}(…)` around them"), &help);
    true
}

/// `vec![Dense(8), Relu]` and `Dense!(8)`
fn macro_call(step: &mut Tokens, errors: &mut Errors) -> bool {
    let (Some(word), true, Some(TokenTree::Group(group))) =
        (step.ident(0).map(Ident::to_string), step.is_sign(1, '!'), step.peek(2).cloned())
    else {
        return false;
    };
    let parts = layers(&group);
    let help = match parts.first().is_some_and(|part| is_layer(part)) {
        true => format!("`{}`", parts.join(" -> ")),
        false if is_layer(&word) => format!("`{word}({})`", parts.join(", ")),
        false => return false,
    };
    errors.add(step.take(3), "a layer", &format!("`{word}!`, a macro"), &help);
    true
}

/// What a group holds between its commas, that of a list within it too.
fn layers(group: &Group) -> Vec<String> {
    let mut inner = Tokens::new(group.stream());
    if let (Some(list), None) = (inner.group(0, Delimiter::Bracket).cloned(), inner.peek(1)) {
        return layers(&list);
    }
    let mut parts = Vec::new();
    while !inner.at_end() {
        let end = inner.until(|tokens, ahead| tokens.is_sign(ahead, ',') || tokens.is_sign(ahead, ';'));
        parts.push(pretty(&inner.take(end)));
        inner.bump();
    }
    parts
}

/// `Dense(8)` or `Relu`, as text: a word with a capital and a small letter.
pub fn is_layer(text: &str) -> bool {
    let word = text.split('(').next().unwrap_or_default();
    word.starts_with(char::is_uppercase)
        && word.chars().any(char::is_lowercase)
        && word.chars().all(char::is_alphanumeric)
}

/// `relu(Dense(8))`, `softmax(h)`, `cat(a, b)`, `Concat([a, b])`: a layer called with what comes in.
fn function(step: &mut Tokens, chain: &mut Chain, values: &Values, errors: &mut Errors) -> bool {
    let Some(word) = step.ident(0).filter(|word| !is_keyword(word)).cloned() else { return false };
    let Some(group) = step.group(1, Delimiter::Parenthesis).cloned() else { return false };
    if word == "share" || word == "frozen" || step.peek(2).is_some() {
        return false;
    }
    let lower = is_value(&word);
    let name = if lower { layer_of(&word) } else { word.to_string() };
    let names = names_of(&group, values);
    let help = match &names[..] {
        [] => match &layers(&group)[..] {
            [layer] if lower && is_layer(layer) => format!("`{layer} -> {name}`"),
            _ => return false,
        },
        [only] if lower => format!("`{only} -> {name}`"),
        // What a layer with a capital is given may be an argument too, which is told further on.
        [_] => return false,
        _ => format!("`({}) -> {name}`", joined(&names)),
    };
    let place = step.rest();
    errors.add(&place, "what comes in before its layer", &format!("`{}`", pretty(&place)), &help);
    if chain.source.is_none() && !names.is_empty() {
        chain.source = Some(Source { names, tokens: place });
    }
    true
}

fn joined(names: &[Ident]) -> String {
    names.iter().map(Ident::to_string).collect::<Vec<_>>().join(", ")
}

/// What a function in lower case is called here.
fn layer_of(word: &Ident) -> String {
    match &*word.to_string() {
        "cat" | "concat" | "concatenate" => "Concat".to_owned(),
        "add" => "Sum".to_owned(),
        "mul" | "multiply" => "Product".to_owned(),
        other => camel(other),
    }
}

/// The values in a group that holds nothing else; those of a list before other arguments.
pub fn names_of(group: &Group, values: &Values) -> Vec<Ident> {
    let inner = Tokens::new(group.stream());
    if let Some(list) = inner.group(0, Delimiter::Bracket).or_else(|| inner.group(0, Delimiter::Parenthesis)) {
        return names_of(list, values);
    }
    let mut names = Vec::new();
    for (i, token) in group.stream().into_iter().enumerate() {
        match token {
            TokenTree::Ident(name) if i % 2 == 0 && values.knows(&name) => names.push(name),
            TokenTree::Punct(comma) if i % 2 == 1 && comma.as_char() == ',' => {}
            _ => return Vec::new(),
        }
    }
    names
}

/// `F.relu`, `torch.cat([a, b])`, `self.fc(x)`, `model.add(Dense(8))`: a function of a module
/// or of an object.
fn of_module(step: &mut Tokens, values: &Values, errors: &mut Errors) -> bool {
    let Some(first) = step.ident(0).cloned() else { return false };
    let text = first.to_string();
    let module = text.chars().count() == 1 || is_value(&first) && !values.knows(&first) || text == "self";
    let mut last = 0;
    while step.is_sign(last + 1, '.') && step.ident(last + 2).is_some() {
        last += 2;
    }
    let Some(word) = step.ident(last).filter(|word| last > 0 && is_value(word)).cloned() else { return false };
    if !module || step.is_colon(last + 1) || step.is_sign(last + 1, '=') {
        return false;
    }
    let group = step.group(last + 1, Delimiter::Parenthesis).cloned();
    let written = step.take(last + 1 + usize::from(group.is_some()));
    let names = group.as_ref().map(|group| names_of(group, values)).unwrap_or_default();
    let held = group.as_ref().map(layers).unwrap_or_default();
    let args = group.filter(|group| names.is_empty() && !group.stream().is_empty());
    let args = args.map(|group| pretty(&group.to_token_stream())).unwrap_or_default();
    let help = match (&held[..], &names[..]) {
        _ if text == "self" && values.knows(&word) => format!("`{word}`"),
        _ if text == "self" => format!("`share({word})`, of a layer that is labelled `{word}: …` before"),
        ([layer], _) if is_layer(layer) => format!("`{layer}`"),
        (_, []) => format!("`{}{args}`", layer_of(&word)),
        (_, [only]) => format!("`{only} -> {}`", layer_of(&word)),
        _ => format!("`({}) -> {}`", joined(&names), layer_of(&word)),
    };
    errors.add(&written, "a layer", &format!("`{}`", pretty(&written)), &help);
    true
}

/// `nn.Layer`, where `nn` is no value: how libraries name their modules.
pub fn module(step: &mut Tokens, values: &Values, errors: &mut Errors) {
    let mut names = 0;
    while step.ident(names).is_some_and(|name| is_value(name) && !values.knows(name)) && step.is_sign(names + 1, '.') {
        names += 2;
    }
    let layer = step.ident(names).is_some_and(|name| !is_value(name) && !is_keyword(name));
    if names == 0 || !layer {
        return;
    }
    let written = step.take(names);
    let text = pretty(&written);
    let layer = step.ident(0).map(Ident::to_string).unwrap_or_default();
    let help = format!("`{layer}`, or with its path, `{}{layer}`", text.replace('.', "::"));
    errors.add(written, "a layer", &format!("`{text}`"), &help);
}

/// `[Dense(8), Relu]`: layers where a shape would stand, as a chain.
pub fn layers_in_brackets(group: &Group) -> Option<String> {
    let parts = layers(group);
    parts.iter().any(|part| is_layer(part) && part.contains('(')).then(|| parts.join(" -> "))
}

/// `(Dense(8), Relu)` behind an arrow: several ways from one value.
pub fn ways(group: &Group) -> Option<String> {
    let parts = layers(group);
    let first = parts.first().filter(|part| is_layer(part))?;
    Some(format!("name what each makes, as `let a = x -> {first};`, then `(a, b) -> …`"))
}

/// The words of a `let` that are names, if only in place of one: of `a, b` and `[a, b]` too.
pub fn idents(tokens: TokenStream) -> Vec<Ident> {
    let each = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Ident(name) if name != "let" && name != "mut" && (is_value(&name) || is_keyword(&name)) => {
            vec![name]
        }
        TokenTree::Group(group) => idents(group.stream()),
        _ => Vec::new(),
    });
    each.collect()
}
