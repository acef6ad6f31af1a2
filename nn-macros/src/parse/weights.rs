//! `#[weights("file.safetensors", names)]`: the weights that come with a network. In: the attributes of a
//! declaration; out: the file and what is said of its names, taken from among them. It looks whether the
//! file is there, and never into it.

use std::env;
use std::path::Path;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Token};

use super::pretty::pretty;
use crate::ast::Weights;
use crate::errors::Errors;

const EXAMPLE: &str = "`#[weights(\"net.safetensors\")]`";

/// The weights among `attrs`, of which only the others are left.
pub fn take(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Option<Weights> {
    let (ours, others) = std::mem::take(attrs).into_iter().partition(|attr| attr.path().is_ident("weights"));
    *attrs = others;
    let ours: Vec<Attribute> = ours;
    if let Some(second) = ours.get(1) {
        errors.add(second, "one `#[weights(…)]`", "two", "remove one of them");
    }
    Some(read(ours.first()?, errors))
}

fn read(attr: &Attribute, errors: &mut Errors) -> Weights {
    let parse = Punctuated::<Expr, Token![,]>::parse_terminated;
    let arguments = match &attr.meta {
        Meta::List(list) => parse.parse2(list.tokens.clone()).unwrap_or_default(),
        _ => Punctuated::new(),
    };
    let arguments: Vec<Expr> = arguments.into_iter().collect();
    match &arguments[..] {
        [] => errors.add(attr, "a file of weights", &found(attr.to_token_stream()), EXAMPLE),
        [_] | [_, _] => {}
        [_, _, third, ..] => {
            let help = "all names are one value: `Names::new().map(\"0\", \"hidden\").ignore(\"critic.*\")`";
            errors.add(third, "a file and its names", &found(third.to_token_stream()), help);
        }
    }
    Weights { path: arguments.first().cloned(), names: arguments.get(1).cloned() }
}

fn found(tokens: TokenStream) -> String {
    format!("`{}`", pretty(&tokens))
}

/// The path, where it stands there as text.
pub fn text(path: &Expr) -> Option<String> {
    match path {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// Whether there is a file at a path from the folder of Cargo.toml; where nobody says which that is, or the
/// path is no text, rustc tells.
pub fn is_there(place: &Expr, errors: &mut Errors) {
    let (Some(path), Some(folder)) = (text(place), env::var_os("CARGO_MANIFEST_DIR")) else { return };
    let whole = Path::new(&folder).join(&path);
    if whole.is_file() {
        return;
    }
    let kind = if whole.is_dir() { "a folder" } else { "none" };
    let help = "a path counts from the folder of Cargo.toml; `model.save(path)` writes such a file";
    errors.add(place, &format!("a file of weights at `{path}`"), kind, help);
}
