//! What an editor shows of a network: the text of each step. In: the graph; out: a macro call that
//! rust-analyzer alone reads.

use std::collections::BTreeMap;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

use super::ident;
use super::names::SiteIdents;
use crate::graph::Graph;

/// ```text
/// #[cfg(rust_analyzer)]
/// __nn::shown! { Net 1 [__F0] 1: dense_1_rule; }
/// ```
/// Of several copies of one step the last one counts.
pub fn sound(graph: &Graph, idents: &SiteIdents) -> TokenStream {
    let span = Span::mixed_site();
    let own = graph.sites().filter(|site| site.shares.is_none()).map(|site| ident('F', site.id, span));
    let rules: BTreeMap<usize, Ident> =
        graph.sites().filter(|site| site.step > 0).map(|site| (site.step, idents.rule(site.id, span))).collect();
    let (steps, rules) = (rules.keys().map(|step| Literal::usize_unsuffixed(*step)), rules.values());
    shown(&graph.header.name, graph.inputs.len(), &quote!([#(#own)*] #(#steps: #rules;)*))
}

/// ```text
/// #[cfg(rust_analyzer)]
/// __nn::shown! { Net 1 }
/// ```
/// Where there are mistakes every step says so.
pub fn stub(name: &Ident, inputs: usize) -> TokenStream {
    shown(name, inputs, &TokenStream::new())
}

fn shown(name: &Ident, inputs: usize, steps: &TokenStream) -> TokenStream {
    let (name, inputs) = (super::unplaced(name), Literal::usize_unsuffixed(inputs));
    quote! {
        #[cfg(rust_analyzer)]
        __nn::shown! { #name #inputs #steps }
    }
}
