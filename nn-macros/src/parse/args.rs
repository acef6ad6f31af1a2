//! What stands in a layer's parentheses and in a shape's brackets. In: a group; out: expressions,
//! unevaluated. What is no expression is reported and left out.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Expr;

use super::pretty::pretty;
use super::tokens::Tokens;
use super::wrapped::layers_in_brackets;
use crate::ast::Args;
use crate::case::is_value;
use crate::errors::Errors;

/// The most dimensions of a shape: what the runtime has room for.
const MAX_RANK: usize = 6;

/// `(positional, name = value)`
pub fn args(group: &Group, errors: &mut Errors) -> Args {
    let mut args = Args { group: group.clone(), positional: Vec::new(), named: Vec::new() };
    let mut tokens = Tokens::new(group.stream());
    let (before, mut unsaid) = (errors.count(), Errors::default());
    while !tokens.at_end() {
        // One mistake in an expression is likely to make others of what follows.
        let errors = if errors.count() > before { &mut unsaid } else { &mut *errors };
        let name = tokens.ident(0).cloned().filter(|_| is_named(&tokens));
        if let Some(name) = &name {
            tokens.bump();
            if tokens.is_sign(0, ':') {
                errors.add(tokens.here(), "`=`", "`:`", &format!("`{name} = …`"));
            }
            tokens.bump();
        }
        let Some(value) = expr(&mut tokens, errors) else { continue };
        match name {
            Some(name) => named(&mut args, name, value, errors),
            None => {
                if let Some((earlier, _)) = args.named.first() {
                    let help = format!("write it before `{earlier} = …`");
                    errors.add(
                        &value,
                        "arguments without a name first",
                        &format!("`{}`", pretty(&value.to_token_stream())),
                        &help,
                    );
                }
                args.positional.push(value);
            }
        }
    }
    args
}

/// Reports what is no shape of an input or output.
pub fn shape_is_sound(group: &Group, errors: &mut Errors) -> bool {
    shape(group, "a shape is that of one sample: leave the batch out", errors)
}

/// Reports what is no shape between layers.
pub fn flow_shape_is_sound(group: &Group, errors: &mut Errors) -> bool {
    let tokens = Tokens::new(group.stream());
    let half = tokens.until(|tokens, ahead| tokens.is_sign(ahead, ';'));
    if tokens.peek(half).is_some() && tokens.ident(0).is_some_and(|word| !is_value(word)) {
        let mut tokens = tokens;
        let layer = pretty(&tokens.take(half));
        tokens.bump();
        let help = format!("`{layer} * {}`", pretty(&tokens.rest()));
        errors.add(group, "a layer or a shape", &format!("`{}`", pretty(&group.to_token_stream())), &help);
        return false;
    }
    if let Some(chain) = layers_in_brackets(group) {
        errors.add(group, "layers with arrows between them", "them in brackets", &format!("`{chain}`"));
        return false;
    }
    shape(group, "write every number, or leave the shape out", errors)
}

fn shape(group: &Group, unknown: &str, errors: &mut Errors) -> bool {
    let mut tokens = Tokens::new(group.stream());
    if tokens.at_end() {
        errors.add(group, "at least one dimension", "`[]`", "`[1]` is a single number");
        return false;
    }
    // `[f32; 784]`, as an array's type is written.
    let half = tokens.until(|tokens, ahead| tokens.is_sign(ahead, ';'));
    if tokens.peek(half).is_some() {
        let found = pretty(&group.to_token_stream());
        tokens.take(half + 1);
        errors.add(group, "a shape", &format!("`{found}`"), &format!("`[{}]`", pretty(&tokens.rest())));
        return false;
    }
    let mut count = 0;
    let mut odd = TokenStream::new();
    let mut sound = true;
    let (before, mut unsaid) = (errors.count(), Errors::default());
    while !tokens.at_end() {
        // A comma in a wrong place breaks what stands behind it too.
        let errors = if errors.count() > before { &mut unsaid } else { &mut *errors };
        let end = tokens.until(|tokens, ahead| tokens.is_sign(ahead, ','));
        let known = match (tokens.peek(0), tokens.peek(1)) {
            (Some(TokenTree::Ident(word)), _) if end == 1 => {
                !matches!(&*word.to_string(), "_" | "None" | "batch" | "batch_size")
            }
            (Some(TokenTree::Punct(sign)), _) if end == 1 => sign.as_char() != '?',
            (Some(TokenTree::Punct(sign)), Some(TokenTree::Literal(_))) if end == 2 => sign.as_char() != '-',
            (Some(TokenTree::Punct(sign)), Some(TokenTree::Punct(_))) if sign.as_char() == '.' => false,
            _ => true,
        };
        if known {
            sound &= expr(&mut tokens, errors).is_some();
        } else {
            odd.extend(tokens.take(end));
            tokens.bump();
        }
        count += 1;
    }
    if !odd.is_empty() {
        let found = odd.clone().into_iter().next().map(TokenStream::from);
        let written = if odd.to_string().starts_with('-') { odd.clone() } else { found.unwrap_or_default() };
        errors.add(odd, "a number, or a const", &format!("`{}`", pretty(&written)), unknown);
        return false;
    }
    if count > MAX_RANK {
        let help = "leave out dimensions of 1, or take two together as their product";
        errors.add(group, &format!("at most {MAX_RANK} dimensions"), &count.to_string(), help);
        return false;
    }
    sound
}

/// `name =`, and `name:` by mistake.
fn is_named(tokens: &Tokens) -> bool {
    let equals = tokens.is_sign(1, '=') && !tokens.is_pair(1, ['=', '=']) && !tokens.is_pair(1, ['=', '>']);
    equals || tokens.is_colon(1)
}

fn named(args: &mut Args, name: Ident, value: Expr, errors: &mut Errors) {
    if args.named.iter().any(|(earlier, _)| *earlier == name) {
        errors.add(&name, &format!("`{name}` once"), "it a second time", "remove one of the two");
    }
    args.named.push((name, value));
}

/// One expression and the `,` behind it. Goes on behind the next `,` where there is no expression.
fn expr(tokens: &mut Tokens, errors: &mut Errors) -> Option<Expr> {
    let comma = |tokens: &Tokens, ahead: usize| tokens.is_sign(ahead, ',');
    let here = tokens.here();
    let end = tokens.until(comma);
    let of_self = tokens.until(|tokens, ahead| tokens.is_word(ahead, "Self"));
    if of_self < end {
        let word = tokens.peek(of_self).cloned();
        errors.add(
            word.to_token_stream(),
            "a const by the name of its type",
            "`Self`",
            "write the type's name: `Net::N`",
        );
        tokens.take(end + 1);
        return None;
    }
    if let Some((written, help)) = odd_number(tokens) {
        errors.add(&written, "a number", &format!("`{}`", pretty(&written)), &help);
        tokens.take(end + 1);
        return None;
    }
    let value = tokens.parse::<Expr>();
    let left = tokens.until(comma);
    match value {
        Some(value) if left == 0 => {
            tokens.bump();
            Some(value)
        }
        Some(_) => {
            errors.add(tokens.here(), "`,`", &tokens.found(), "separate them with commas");
            tokens.take(left + 1);
            None
        }
        None if left == 0 => {
            errors.add(here, "an expression", &tokens.found(), "remove it, or write a number there");
            tokens.bump();
            None
        }
        None => {
            let written = tokens.take(left);
            errors.add(&written, "an expression", &format!("`{}`", pretty(&written)), "write a number, or a const");
            tokens.bump();
            None
        }
    }
}

/// `28x28`, `.5`, `50%`: numbers as they are written elsewhere.
fn odd_number(tokens: &Tokens) -> Option<(TokenStream, String)> {
    let end = tokens.until(|tokens, ahead| tokens.is_sign(ahead, ','));
    let mut all = Tokens::new(tokens.left());
    let written = all.take(end);
    let number = |ahead: usize| match tokens.peek(ahead) {
        Some(TokenTree::Literal(number)) => Some(number.to_string()),
        _ => None,
    };
    let parts = |text: &str| text.split('x').map(|part| part.parse::<u32>().ok()).collect::<Option<Vec<_>>>();
    match (end, number(0), number(1)) {
        (1, Some(text), _) if text.contains('x') && !text.starts_with("0x") => {
            let parts = parts(&text)?.iter().map(u32::to_string).collect::<Vec<_>>();
            let list = parts.join(", ");
            Some((
                written,
                if parts.len() > 2 { format!("`{list}`") } else { format!("`{}`, or `[{list}]`", parts[0]) },
            ))
        }
        (2, _, Some(fraction)) if tokens.is_sign(0, '.') => Some((written, format!("`0.{fraction}`"))),
        (2, Some(percent), _) if tokens.is_sign(1, '%') => {
            let part = percent.parse::<f64>().ok()? / 100.0;
            Some((written, format!("`{part:?}`")))
        }
        _ => None,
    }
}
