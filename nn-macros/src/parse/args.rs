//! What stands in a layer's parentheses and in a shape's brackets. In: a group; out: expressions,
//! unevaluated. What is no expression is reported and left out.

use proc_macro2::{Group, Ident};
use quote::ToTokens;
use syn::Expr;

use super::pretty::pretty;
use super::tokens::Tokens;
use crate::ast::Args;
use crate::errors::Errors;

/// The most dimensions of a shape: what the runtime has room for.
const MAX_RANK: usize = 6;

/// `(positional, name = value)`
pub fn args(group: &Group, errors: &mut Errors) -> Args {
    let mut args = Args { group: group.clone(), positional: Vec::new(), named: Vec::new() };
    let mut tokens = Tokens::new(group.stream());
    while !tokens.at_end() {
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

/// Reports what is no shape.
pub fn shape_is_sound(group: &Group, errors: &mut Errors) -> bool {
    let mut tokens = Tokens::new(group.stream());
    if tokens.at_end() {
        errors.add(group, "at least one dimension", "`[]`", "`[1]` is a single number");
        return false;
    }
    let mut sound = true;
    let mut count = 0;
    while !tokens.at_end() {
        sound &= expr(&mut tokens, errors).is_some();
        count += 1;
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
