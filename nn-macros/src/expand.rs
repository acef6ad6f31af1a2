//! The pipeline on one screen. In: the tokens of a declaration; out: the struct and its code, or every error
//! found and a stub of the struct. It may decide nothing itself.

use proc_macro2::TokenStream;

use crate::errors::Errors;
use crate::{editor, emit, fallback, graph, parse};

pub fn expand(tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let network = parse::parse(tokens, &mut errors);
    let graph = network.as_ref().and_then(|network| graph::resolve(network, &mut errors));
    let mut tokens: TokenStream = network.as_ref().map(editor::view).unwrap_or_default();
    tokens.extend(match graph {
        Some(graph) if errors.is_empty() => emit::network(&graph),
        _ => fallback::stub(network.as_ref().map(|network| &network.header), &errors),
    });
    tokens
}
