//! A graph becomes code. In: the graph; out: the struct, its checks, its plan and its passes. Total: it never
//! fails. It names `::nn_runtime::__private` and the user's own words only.

mod budget;
mod described;
mod names;
mod negative;
mod network;
mod pass;
mod shown;
mod site;
mod sizes;
mod weights;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::graph::Graph;
use crate::span::before;
use names::SiteIdents;

pub use network::{Shell, structure};
pub use sizes::sizes;

/// ```text
/// pub struct Net;
/// const _: () = { /* see `Shell`, `site` and `pass` */ };
/// ```
pub fn network(graph: &Graph) -> TokenStream {
    let structure = structure(graph.header, described::attributes(graph));
    let shell = Shell {
        header: graph.header,
        inputs: graph.inputs.iter().map(|port| port.shape).collect(),
        outputs: graph.outputs.iter().map(|port| port.shape).collect(),
    };
    let idents = SiteIdents::new(graph);
    let items = [
        site::flow(graph, &idents),
        site::map(graph),
        budget::limits(graph.header),
        pass::layers(graph, &idents),
        weights::sound(graph.header),
        shown::sound(graph, &idents),
    ];
    let network = shell.sound(&items, pass::passes(graph));
    quote!(#structure #network)
}

/// Where generated code lies: before the network's name, so that a note about it is one line and not the
/// whole declaration, and an editor does not take it for the name.
fn span_of(name: &Ident) -> Span {
    Span::mixed_site().located_at(before(name.span()))
}

/// The same name, which is not the user's word.
pub fn unplaced(name: &Ident) -> Ident {
    let mut name = name.clone();
    name.set_span(Span::mixed_site());
    name
}

/// A generated name. All begin with two underscores, because items are not hygienic; those that rustc may
/// name in a message are in `names`, or begin with `declared_`.
fn ident(letter: char, number: usize, span: Span) -> Ident {
    Ident::new(&format!("__{letter}{number}"), span)
}
