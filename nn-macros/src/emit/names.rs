//! What rustc may name in a message is called as its layer is. In: the graph; out: identifiers
//! that shadow nothing which the declaration, or the code around it, means by them.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;

use super::ident;
use crate::graph::{Graph, Item};

/// Names that generated code binds, or means, itself.
const BOUND: [&str; 15] =
    ["weights", "x", "y", "dx", "dy", "cx", "part", "pass", "a", "new", "rule", "f32", "usize", "bool", "str"];

pub struct SiteIdents {
    layers: BTreeMap<usize, String>,
    calls: BTreeMap<usize, String>,
    rules: BTreeMap<usize, String>,
}

impl SiteIdents {
    /// Every word that stands in the declaration's expressions means something else.
    pub fn new(graph: &Graph) -> SiteIdents {
        let mut taken: BTreeSet<String> = BOUND.iter().map(ToString::to_string).collect();
        for port in graph.inputs.iter().chain(&graph.outputs) {
            words(port.shape.to_token_stream(), &mut taken);
        }
        for item in &graph.items {
            match item {
                Item::Site(site) => words(site.layer.tokens(), &mut taken),
                Item::Shape { shape, .. } => words(shape.to_token_stream(), &mut taken),
            }
        }
        let [mut layers, mut calls, mut rules] = [const { BTreeMap::new() }; 3];
        for (names, ending) in [(&mut layers, ""), (&mut calls, "_call"), (&mut rules, "_rule")] {
            for site in graph.sites() {
                let name = site.name.replace('.', "_") + ending;
                if syn::parse_str::<Ident>(&name).is_ok() && taken.insert(name.clone()) {
                    names.insert(site.id, name);
                }
            }
        }
        SiteIdents { layers, calls, rules }
    }

    /// What the constant of a site's rule is called: rustc names it where the user's own numbers overflow or
    /// a const function of theirs panics.
    pub fn rule(&self, id: usize, span: Span) -> Ident {
        self.rules.get(&id).map_or_else(|| ident('R', id, span), |name| Ident::new(name, span))
    }

    /// What the constant of a site's check is called, if it may have a name.
    pub fn constant(&self, id: usize, span: Span) -> Ident {
        Ident::new(self.layers.get(&id).map_or("_", |name| name), span)
    }

    /// What the type of a site's layer is called: rustc names it where the call does not fit. Not as the
    /// layer alone: of `Transpose`, which is none, rustc would say that `transpose_1` is a similar name.
    pub fn layer(&self, id: usize, span: Span) -> Ident {
        self.calls.get(&id).map_or_else(|| ident('L', id, span), |name| Ident::new(name, span))
    }
}

fn words(tokens: TokenStream, into: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                into.insert(ident.to_string());
            }
            TokenTree::Group(group) => words(group.stream(), into),
            _ => {}
        }
    }
}
