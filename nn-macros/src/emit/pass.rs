//! The three passes: one call per site. In: the graph; out: the bodies of `Network`'s methods. The order of pulls is that of
//! the sites reversed; where gradients are summed is the runtime's plan to know.

use proc_macro2::{Literal, Span, TokenStream};
use quote::quote_spanned;

use super::{ident, site};
use crate::graph::{Graph, Site};
use crate::span::Ends;

/// ```text
/// fn forward(cx: &mut __nn::Cx<'_>, x: &[&[f32]], y: &mut [&mut [f32]]) {
///     let mut pass = __nn::Forward::begin(cx, __MAP, x, y);
///     pass.layer::<1, 1>(0, &__l0());
///     pass.layer::<2, 1>(1, &__l1());
///     pass.end();
/// }
/// fn pull_input(…)     /* the same from the last site to the first */
/// fn pull_params(…)    /* the same in order */
/// ```
/// The numbers of inputs and outputs are said, because a layer may take any number of them.
pub fn passes(graph: &Graph) -> TokenStream {
    let span = Span::mixed_site();
    let forward: TokenStream = graph.sites().map(call).collect();
    let reversed: TokenStream = graph.sites().rev().map(call).collect();
    quote_spanned! {span=>
        fn forward(cx: &mut __nn::Cx<'_>, x: &[&[f32]], y: &mut [&mut [f32]]) {
            let mut pass = __nn::Forward::begin(cx, __MAP, x, y);
            #forward
            pass.end();
        }
        fn pull_input(cx: &mut __nn::Cx<'_>, x: &[&[f32]], y: &[&[f32]], dy: &[&[f32]], dx: &mut [&mut [f32]]) {
            let mut pass = __nn::PullInput::begin(cx, __MAP, x, y, dy, dx);
            #reversed
        }
        fn pull_params(cx: &mut __nn::Cx<'_>, x: &[&[f32]], dy: &[&[f32]], part: __nn::Part<'_>) {
            let mut pass = __nn::PullParams::begin(cx, __MAP, x, dy, part);
            #forward
        }
    }
}

fn call(site: &Site) -> TokenStream {
    let number = Literal::usize_unsuffixed;
    let (id, n, m) = (number(site.id), number(site.x.len()), number(site.made));
    let layer = ident('l', site.id);
    quote_spanned!(Span::mixed_site()=> pass.layer::<#n, #m>(#id, &#layer());)
}

/// ```text
/// #[inline] const fn __l0() -> impl __nn::Layer<1, 1> { Dense::new(16) }
/// #[inline] const fn __l1() -> impl __nn::Layer<1, 1> { __nn::Repeat::new(Block::new(), __N1) }
/// ```
/// The layer of each site for all passes, so that a type that is no layer, or none for so many values, is told once, on the
/// tokens of the layer. It is a call and no constant, because rustc would tell a fault in its numbers once more for each constant.
pub fn layers(graph: &Graph) -> TokenStream {
    let layer = |site: &Site| {
        let span = Span::mixed_site();
        let number = Literal::usize_unsuffixed;
        let (n, m) = (number(site.x.len()), number(site.made));
        let (function, mut value) = (ident('l', site.id), site::layer(site.layer));
        if site.times().is_some() {
            let times = ident('N', site.id);
            value = quote_spanned!(span=> __nn::Repeat::new(#value, #times));
        }
        let ends = Ends::of(site.place.clone()).unwrap_or(Ends { start: span, end: span });
        let start = quote_spanned!(ends.start=> impl __nn::Layer);
        let end = quote_spanned!(ends.end=> <#n, #m>);
        quote_spanned! {span=>
            // Where a number overflows, the site's rule has told it already.
            #[allow(arithmetic_overflow, unconditional_panic)]
            #[inline]
            const fn #function() -> #start #end {
                #value
            }
        }
    };
    graph.sites().map(layer).collect()
}
