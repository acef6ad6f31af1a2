//! The three passes: one call per site. In: the graph; out: the bodies of `Network`'s methods. Backward
//! passes run through the sites in reverse; where gradients are summed is for the runtime's plan to know.

use proc_macro2::{Delimiter, Group, Literal, Span, TokenStream};
use quote::quote_spanned;

use super::names::SiteIdents;
use super::{ident, site, span_of};
use crate::graph::{Graph, Site};
use crate::span::Ends;

/// ```text
/// fn forward_pass(cx: &mut __nn::LayerContext<'_>, x: &[&[f32]], y: &mut [&mut [f32]]) {
///     let mut pass = __nn::Forward::begin(cx, &__MAP, x, y);
///     pass.layer::<1, 1>(0, &__l0());
///     pass.layer::<2, 1>(1, &__l1());
///     pass.end();
/// }
/// fn backward_input(…)     /* the same from the last site to the first */
/// fn backward_params(…)    /* the same in order */
/// ```
/// The numbers of inputs and outputs are said, because a layer may take any number of them.
pub fn passes(graph: &Graph) -> TokenStream {
    let span = span_of(&graph.header.name);
    let call = |site| call(site, span);
    let forward: TokenStream = graph.sites().map(call).collect();
    let reversed: TokenStream = graph.sites().rev().map(call).collect();
    quote_spanned! {span=>
        fn forward_pass(cx: &mut __nn::LayerContext<'_>, x: &[&[f32]], y: &mut [&mut [f32]]) {
            let mut pass = __nn::Forward::begin(cx, &__MAP, x, y);
            #forward
            pass.end();
        }
        fn backward_input(cx: &mut __nn::LayerContext<'_>, x: &[&[f32]], y: &[&[f32]], dy: &[&[f32]], dx: &mut [&mut [f32]]) {
            let mut pass = __nn::BackwardInput::begin(cx, &__MAP, x, y, dy, dx);
            #reversed
        }
        fn backward_params(cx: &mut __nn::ReadContext<'_>, x: &[&[f32]], dy: &[&[f32]], part: __nn::ParamGrad<'_>) {
            let mut pass = __nn::BackwardParams::begin(cx, &__MAP, x, dy, part);
            #forward
        }
    }
}

fn call(site: &Site, span: Span) -> TokenStream {
    let number = Literal::usize_unsuffixed;
    let (id, n, m) = (number(site.id), number(site.x.len()), number(site.made));
    let layer = ident('l', site.id, span);
    quote_spanned!(span=> pass.layer::<#n, #m>(#id, &#layer());)
}

/// ```text
/// #[inline] fn __l0() -> impl __nn::Layer<1, 1> { const { Dense::new(16) } }
/// #[inline] fn __l1() -> impl __nn::Layer<1, 1> { const { __nn::Repeat::new(Block::new(), __N1) } }
/// ```
/// The layer of each site for all passes, so that a type that is no layer, or none for so many values, is
/// told once, on the tokens of the layer. It is a constant within a call: a constant, because what is no
/// constant is then told in the very words of the site's rule, which rustc shows once; within a call, because
/// it is not computed where the rule has stopped the build.
pub fn layers(graph: &Graph, idents: &SiteIdents) -> TokenStream {
    let span = span_of(&graph.header.name);
    let layer = |site: &Site| {
        let number = Literal::usize_unsuffixed;
        let (n, m) = (number(site.x.len()), number(site.made));
        let (function, mut value) = (ident('l', site.id, span), site::layer(site, idents));
        if site.times().is_some() {
            let times = ident('N', site.id, span);
            value = quote_spanned!(span=> __nn::Repeat::new(#value, #times));
        }
        let ends = Ends::of(site.place.clone()).unwrap_or(Ends { start: span, end: span });
        let start = quote_spanned!(ends.start=> impl __nn::Layer);
        let end = quote_spanned!(ends.end=> <#n, #m>);
        let constant = quote_spanned!(ends.start=> const);
        let mut block = Group::new(Delimiter::Brace, value);
        block.set_span(ends.end);
        quote_spanned! {span=>
            #[inline]
            fn #function() -> #start #end {
                #constant #block
            }
        }
    };
    graph.sites().map(layer).collect()
}
