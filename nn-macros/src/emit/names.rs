//! What constants are called that rustc may name in a message: as their layers are. In: the graph; out: identifiers
//! that shadow nothing which the declaration, or the code around it, means by them.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;

use crate::graph::{Graph, Item};

/// Names that generated code binds itself.
const BOUND: [&str; 10] = ["x", "y", "dx", "dy", "cx", "part", "pass", "a", "new", "rule"];

pub struct ConstNames {
    taken: BTreeSet<String>,
}

impl ConstNames {
    /// Every word that stands in the declaration's expressions means something else.
    pub fn new(graph: &Graph) -> ConstNames {
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
        ConstNames { taken }
    }

    /// An identifier like this name, once.
    pub fn give(&mut self, name: &str, span: Span) -> Option<Ident> {
        let mut ident = syn::parse_str::<Ident>(name).ok().filter(|_| !self.taken.contains(name))?;
        self.taken.insert(name.to_owned());
        ident.set_span(span);
        Some(ident)
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
