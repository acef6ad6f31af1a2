//! The pipeline on one screen. In: the tokens of a declaration; out: the struct and its code, or every error
//! found and a stub of the struct. It may decide nothing itself.

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast::{Network, Sizes};
use crate::errors::Errors;
use crate::{editor, emit, fallback, graph, parse};

pub fn expand(tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut network = parse::parse(tokens, &mut errors);
    if let Some(network) = &mut network
        && let Some(sizes) = network.header.sizes.take()
    {
        return of_sizes(network, &sizes, errors);
    }
    let graph = network.as_ref().and_then(|network| graph::resolve(network, &mut errors));
    let mut tokens: TokenStream = network.as_ref().map(editor::view).unwrap_or_default();
    tokens.extend(match graph {
        Some(graph) if errors.is_empty() => emit::network(&graph),
        _ => fallback::stub(network.as_ref().map(|network| &network.header), &errors),
    });
    tokens
}

/// The same for each of several sizes. What is wrong is wrong of all, and told once.
fn of_sizes(network: &mut Network, sizes: &Sizes, mut errors: Errors) -> TokenStream {
    let mut each = Vec::new();
    for value in &sizes.values {
        network.header.size = Some(value.clone());
        let mut told = Errors::default();
        let graph = graph::resolve(network, if each.is_empty() { &mut errors } else { &mut told });
        each.push(match graph {
            Some(graph) if errors.is_empty() => emit::network(&graph),
            _ => fallback::stub(Some(&network.header), &Errors::default()),
        });
    }
    let networks = emit::sizes(&network.header, sizes, &each);
    quote!(#errors #networks)
}
