//! Sites as constants: the rule of each, the check on its span, the values it makes, and the graph of all.
//! In: the graph; out: const items. The user's tokens keep their spans, so that rustc complains in the user's
//! words.

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Expr;
use syn::ext::IdentExt;

use super::names::SiteIdents;
use super::{ident, negative, span_of};
use crate::graph::{Graph, Item, NamedPort, Site};
use crate::parse::pretty::pretty;
use crate::span::{Ends, before};

/// ```text
/// const _: () = __nn::check_input("input", declared_input[0]);
/// const __V0: __nn::TracedValue = __nn::TracedValue::input("input", declared_input[0]);
/// /* sites and shapes */
/// const _: () = __nn::check_output("output", &__V4, declared_output[0]);
/// ```
pub fn flow(graph: &Graph, idents: &SiteIdents) -> TokenStream {
    let span = span_of(&graph.header.name);
    let mut tokens = TokenStream::new();
    for (i, NamedPort { name, shape }) in graph.inputs.iter().enumerate() {
        let (i, value) = (Literal::usize_unsuffixed(i), ident('V', i, span));
        tokens.extend(check(None, shape, "check_input", quote_spanned!(span=> #name, declared_input[#i])));
        tokens.extend(
            quote_spanned!(span=> const #value: __nn::TracedValue = __nn::TracedValue::input(#name, declared_input[#i]);),
        );
    }
    for item in &graph.items {
        tokens.extend(match item {
            Item::Site(it) => site(it, idents, span),
            Item::Shape { value, shape } => {
                let value = ident('V', *value, span);
                check(None, shape, "check_shape", quote_spanned!(span=> &#value, __nn::Shape::of(#shape)))
            }
        });
    }
    for (i, (NamedPort { name, shape }, value)) in graph.outputs.iter().zip(&graph.results).enumerate() {
        let (i, value) = (Literal::usize_unsuffixed(i), ident('V', *value, span));
        tokens.extend(check(None, shape, "check_output", quote_spanned!(span=> #name, &#value, declared_output[#i])));
    }
    tokens
}

/// ```text
/// const dense_1_rule: __nn::Rule = Dense::new(16).rule([__V0.shape()]);
/// const _: () = __nn::check("dense_1", &dense_1_rule, &[&__V0], 1);
/// static __F0: __nn::Site = __nn::site(&dense_1_rule, [__V0.shape()]);
/// const __V1: __nn::TracedValue = __nn::TracedValue::after(&__V0, "dense_1", &dense_1_rule, 0);
/// ```
/// and where the site has them,
/// ```text
/// const __N0: usize = n;
/// const block_1_rule: __nn::Rule = __nn::repeat(&Block::new().rule([__V0.shape()]), __V0.shape(), __N0);
/// const _: () = __nn::check_shared("dense_2", &dense_2_rule, "label", &label_rule, &__V2);
/// const _: () = __nn::check_frozen("dense_1", &dense_1_rule);
/// ```
fn site(site: &Site, idents: &SiteIdents, span: Span) -> TokenStream {
    let called = called(site, idents, span);
    let Site { name, place, .. } = site;
    let kind = site.layer.kind().span();
    let (rule, spec) = (idents.rule(site.id, span), ident('F', site.id, span));
    let x: Vec<_> = site.x.iter().map(|value| ident('V', *value, span)).collect();
    let first = &x[0];

    let mut shapes = Group::new(Delimiter::Bracket, quote_spanned!(span=> #(#x.shape()),*));
    shapes.set_span(kind);
    let mut answer = layer(site, idents);
    answer.extend(quote_spanned!(kind=> .rule(#shapes)));
    let mut answer = quote_spanned!(kind=> __nn::Answer(#answer).rule());
    let mut times = TokenStream::new();
    if let Some(n) = site.times() {
        let count = ident('N', site.id, span);
        // The parentheses belong to the language: rustc would advise to remove them.
        let n = if let Expr::Paren(paren) = n { &*paren.expr } else { n };
        // The number is written down once, so that rustc complains about it once.
        times = quote_spanned!(span=> const #count: usize = #n;);
        answer = quote_spanned!(span=> __nn::repeat(&#answer, #first.shape(), #count));
    }
    let made = Literal::usize_unsuffixed(site.made);
    let checked = check(
        Some(idents.constant(site.id, span)),
        place,
        "check",
        quote_spanned!(span=> #name, &#rule, &[#(&#x),*], #made),
    );
    let shared = site.shares.as_ref().map(|shared| {
        let (label, earlier) = (&shared.label, idents.rule(shared.site, span));
        check(None, place, "check_shared", quote_spanned!(span=> #name, &#rule, #label, &#earlier, &#first))
    });
    let frozen = site.frozen.then(|| check(None, place, "check_frozen", quote_spanned!(span=> #name, &#rule)));
    let made = (0..site.made).map(|j| {
        let (value, j) = (ident('V', site.y + j, span), Literal::usize_unsuffixed(j));
        quote_spanned!(span=> const #value: __nn::TracedValue = __nn::TracedValue::after(&#first, #name, &#rule, #j);)
    });
    quote_spanned! {span=>
        #called
        #times
        const #rule: __nn::Rule = #answer;
        #checked
        #shared
        #frozen
        static #spec: __nn::Site = __nn::site(&#rule, [#(#x.shape()),*]);
        #(#made)*
    }
}

/// ```text
/// conv2d_1_call::new(16, 3).stride(2)
/// ```
/// from `Conv2d(16, 3, stride = 2)`, every token where the user wrote it.
pub fn layer(site: &Site, idents: &SiteIdents) -> TokenStream {
    let layer = &site.layer;
    let kind = layer.kind().span();
    let checked = layer_ident(site, idents, before(kind));
    let new = quote_spanned!(kind=> ::new);
    let mut tokens = quote_spanned!(kind=> #checked #new);
    let Some(args) = &layer.args else {
        let mut none = Group::new(Delimiter::Parenthesis, TokenStream::new());
        none.set_span(kind);
        none.to_tokens(&mut tokens);
        return tokens;
    };
    if args.named.is_empty() && !args.positional.iter().any(negative::any) {
        args.group.to_tokens(&mut tokens);
        return tokens;
    }
    let positional = args.positional.iter().map(negative::told);
    let mut group = Group::new(Delimiter::Parenthesis, quote_spanned!(kind=> #(#positional),*));
    group.set_span(args.group.span());
    group.to_tokens(&mut tokens);
    for (name, value) in &args.named {
        tokens.extend(quote_spanned!(name.span()=> .#name(#value)));
    }
    tokens
}

/// True for a call from which rustc may have to find out the layer's own parameters.
fn may_be_generic(site: &Site) -> bool {
    let array = |expr: &Expr| matches!(expr, Expr::Array(_) | Expr::Repeat(_));
    let given = site.layer.args.as_ref().is_some_and(|args| args.positional.iter().any(array));
    given && site.layer.path.segments.iter().all(|segment| segment.arguments.is_none())
}

/// What a site's layer is called. What `use` brings is a value too, and must not be called as the constant
/// is.
fn layer_ident(site: &Site, idents: &SiteIdents, span: Span) -> Ident {
    if may_be_generic(site) { ident('L', site.id, span) } else { idents.layer(site.id, span) }
}

/// ```text
/// type __T0 = Conv2d;
/// type conv2d_1_call = <__T0 as __nn::Checked<{ __nn::check_call("conv2d_1", …) }>>::Layer;
/// ```
/// The call is looked at before rustc does: where it does not fit, this is no type, and nothing more is said
/// of it. A layer that is given an array may be generic in its length, which only the call tells: `use Own as
/// __L0;`.
fn called(site: &Site, idents: &SiteIdents, span: Span) -> TokenStream {
    let layer = &*site.layer;
    let (path, kind) = (&layer.path, layer.kind().span());
    let aside = before(kind);
    let (ty, checked) = (ident('T', site.id, aside), layer_ident(site, idents, aside));
    let number = Literal::usize_unsuffixed;
    let text = |expr: &Expr| pretty(&expr.to_token_stream());
    let args = layer.args.as_ref();
    if may_be_generic(site) {
        return quote_spanned!(span=> use #path as #checked;);
    }
    let positional = args.into_iter().flat_map(|args| &args.positional).map(text);
    let named = args.into_iter().flat_map(|args| &args.named).map(|(name, value)| {
        let (name, value) = (name.unraw().to_string(), text(value));
        quote_spanned!(span=> (#name, #value))
    });
    let (reads, outputs) = (&site.reads, number(site.made));
    let name = &site.name;
    let (inputs, path_text) = (number(site.x.len()), pretty(&path.to_token_stream()));
    let call = quote_spanned! {span=>
        __nn::Call {
            positional: &[#(#positional),*],
            named: &[#(#named),*],
            reads: &[#(#reads),*],
            outputs: #outputs,
            path: #path_text,
            is_layer: __nn::IsLayer::<#ty, #inputs, #outputs>::__LAYER,
        }
    };
    let ends = Ends::of(site.place.clone()).unwrap_or(Ends { start: span, end: span });
    let check = quote_spanned!(ends.start=> __nn::check_call);
    let args = ends.close(quote_spanned!(span=> #name, &#ty::__SIGNATURE, &#call));
    quote_spanned! {span=>
        type #ty = #path;
        type #checked = <#ty as __nn::Checked<{ #check #args }>>::Layer;
    }
}

/// ```text
/// const _: () = __nn::check(…);
/// ```
/// The call reaches from the first to the last token of `place`: that is what rustc underlines when it
/// panics.
/// What rustc names in its label is the constant: `constant`, if that may be.
pub fn check(constant: Option<Ident>, place: impl ToTokens, function: &str, args: TokenStream) -> TokenStream {
    let span = Span::mixed_site();
    let ends = Ends::of(place.to_token_stream()).unwrap_or(Ends { start: span, end: span });
    let function = Ident::new(function, ends.start);
    let path = quote_spanned!(ends.start=> __nn::#function);
    let args = ends.close(args);
    let name = constant.unwrap_or_else(|| Ident::new("_", span));
    quote_spanned!(span=> const #name: () = #path #args;)
}

/// ```text
/// static __GRAPH: __nn::Graph<4, 5> =
///     __nn::Graph::new(declared_input, [__nn::Node::new("dense_1", &__F0, [0], 1)], [4]);
/// static __INFER: __nn::Plan<4> = __GRAPH.plan(__nn::Pass::Infer);     /* and so on */
/// static __STREAM: __nn::Plan<4> = __GRAPH.stream();
/// static __MAP: __nn::CompiledNetwork =
///     __nn::CompiledNetwork::new("Net", &__GRAPH, (&declared_input, &declared_output), [/* … */], […]);
/// static __TREE: __nn::NetworkTree = __nn::NetworkTree::new(&__MAP, &[(1, __T1::__NETWORK)]);
/// ```
/// Statics, because rustc looks through a constant's references for what may not be there, down to the last
/// nested network, and not through those to statics: sixty networks within each other took it nine seconds.
/// A layer that is given nothing and has parameters of its own may be a network.
pub fn map(graph: &Graph) -> TokenStream {
    let span = span_of(&graph.header.name);
    let number = |number: &usize| Literal::usize_unsuffixed(*number);
    let nodes = graph.sites().map(|site| {
        let (name, spec, y) = (&site.name, ident('F', site.id, span), number(&site.y));
        let x = site.x.iter().map(number);
        let frozen = site.frozen.then(|| quote_spanned!(span=> .frozen()));
        let shares = site.shares.as_ref().map(|shared| {
            let earlier = number(&shared.site);
            quote_spanned!(span=> .shares(#earlier))
        });
        quote_spanned!(span=> __nn::Node::new(#name, &#spec, [#(#x),*], #y) #frozen #shares)
    });
    let (sites, values) = (number(&graph.sites().count()), number(&graph.values));
    let results = graph.results.iter().map(number);
    let name = graph.header.title();
    let ports = |ports: &[NamedPort]| {
        let names = ports.iter().map(|port| &port.name);
        quote_spanned!(span=> &[#(#names),*])
    };
    let (inputs, outputs) = (ports(&graph.inputs), ports(&graph.outputs));
    let bare = |site: &&Site| {
        site.shares.is_none()
            && site.layer.args.as_ref().is_none_or(|args| args.positional.is_empty() && args.named.is_empty())
    };
    let within = graph.sites().filter(bare).map(|site| {
        let (id, ty) = (number(&site.id), ident('T', site.id, span));
        quote_spanned!(span=> (#id, #ty::__NETWORK))
    });
    quote_spanned! {span=>
        static __GRAPH: __nn::Graph<#sites, #values> = __nn::Graph::new(declared_input, [#(#nodes),*], [#(#results),*]);
        static __INFER: __nn::Plan<#sites> = __GRAPH.plan(__nn::Pass::Infer);
        static __TRAIN: __nn::Plan<#sites> = __GRAPH.plan(__nn::Pass::Train);
        static __ASKED: __nn::Plan<#sites> = __GRAPH.plan(__nn::Pass::TrainWithInputGrad);
        static __STREAM: __nn::Plan<#sites> = __GRAPH.stream();
        static __MAP: __nn::CompiledNetwork = __nn::CompiledNetwork::new(
            #name,
            &__GRAPH,
            (&declared_input, &declared_output),
            [#inputs, #outputs],
            [&__INFER, &__TRAIN, &__ASKED, &__STREAM],
        );
        static __TREE: __nn::NetworkTree = __nn::NetworkTree::new(&__MAP, &[#(#within),*]);
    }
}
