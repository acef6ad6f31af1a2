//! What every network has, sound or not: the struct, its types, and itself as a layer. In: the header; out:
//! items. Neither sites nor plans are known here.

use proc_macro2::{Group, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, Meta};

use super::{shown, span_of, weights};
use crate::ast::Header;

/// ```text
/// #[doc..] #[cfg_attr(doc, doc = "…")] #[derive(Clone, Copy, Debug, Default)] pub struct Net;
/// ```
pub fn structure(header: &Header, described: TokenStream) -> TokenStream {
    let Header { attrs, vis, name, .. } = header;
    let derive = quote_spanned! {Span::mixed_site()=>
        #[::core::prelude::v1::derive(
            ::core::clone::Clone,
            ::core::marker::Copy,
            ::core::fmt::Debug,
            ::core::default::Default,
        )]
    };
    quote!(#(#attrs)* #described #derive #vis struct #name;)
}

/// The attributes of the struct that hold for all of its code: where it is there at all, and what is not
/// warned of.
pub fn reaching(header: &Header) -> TokenStream {
    let one = |attr: &Attribute| {
        let path = attr.path();
        match &attr.meta {
            _ if path.is_ident("cfg") || path.is_ident("allow") => attr.to_token_stream(),
            // The struct itself has to meet the expectation.
            Meta::List(list) if path.is_ident("expect") => {
                let lints = &list.tokens;
                quote!(#[allow(#lints)])
            }
            // What the network is made of has to name it.
            _ if path.is_ident("deprecated") => quote!(#[allow(deprecated)]),
            _ => TokenStream::new(),
        }
    };
    header.attrs.iter().map(one).collect()
}

/// A network seen from outside: its name and the shapes of its ports.
pub struct Shell<'a> {
    pub header: &'a Header,
    pub inputs: Vec<&'a Group>,
    pub outputs: Vec<&'a Group>,
}

impl Shell<'_> {
    /// ```text
    /// const _: () = {
    ///     /* the shapes, `items`, the network as a layer */
    ///     impl __nn::Network for Net {
    ///         type Input<'a> = &'a [f32; declared_input[0].len()];
    ///         type Output<'a> = &'a [f32; declared_output[0].len()];
    ///         type Step<'a> = &'a [f32; __nn::input_step(declared_input[0])];
    ///         type StepOutput<'a> = &'a [f32; __nn::output_step(declared_output[0], declared_input[0])];
    ///         type Head = __nn::HeadOf<{ __GRAPH.head(0) as usize }>;
    ///         const COMPILED: &'static __nn::CompiledNetwork = &__MAP;
    ///         /* passes */
    ///     }
    /// };
    /// ```
    pub fn sound(&self, items: &[TokenStream], passes: TokenStream) -> TokenStream {
        let span = span_of(&self.header.name);
        let heads =
            numbers(self.outputs.len()).map(|j| quote_spanned!(span=> __nn::HeadOf<{ __GRAPH.head(#j) as usize }>));
        let network = self.network(tuple(heads), passes);
        self.block(quote_spanned!(span=> #(#items)* #network))
    }

    /// ```text
    /// const _: () = {
    ///     /* as of a sound one, but */
    ///     static __MAP: __nn::CompiledNetwork =
    ///         __nn::CompiledNetwork::stub("Net", (&declared_input, &declared_output));
    ///     static __TREE: __nn::NetworkTree = __nn::NetworkTree::new(&__MAP, &[]);
    ///     impl __nn::Network for Net { type Head = __nn::AnyHead; fn forward_pass(…) {} /* … */ }
    /// };
    /// ```
    pub fn stub(&self) -> TokenStream {
        let span = span_of(&self.header.name);
        let name = self.header.title();
        let heads = self.outputs.iter().map(|_| quote_spanned!(span=> __nn::AnyHead));
        let passes = quote_spanned! {span=>
            fn forward_pass(_: &mut __nn::LayerContext<'_>, _: &[&[f32]], _: &mut [&mut [f32]]) {}
            fn backward_input(_: &mut __nn::LayerContext<'_>, _: &[&[f32]], _: &[&[f32]], _: &[&[f32]], _: &mut [&mut [f32]]) {}
            fn backward_params(_: &mut __nn::ReadContext<'_>, _: &[&[f32]], _: &[&[f32]], _: __nn::ParamGrad<'_>) {}
        };
        let network = self.network(tuple(heads), passes);
        let shown = shown::stub(&self.header.name, self.inputs.len());
        let weights = weights::stub(self.header);
        self.block(quote_spanned! {span=>
            static __MAP: __nn::CompiledNetwork = __nn::CompiledNetwork::stub(#name, (&declared_input, &declared_output));
            static __TREE: __nn::NetworkTree = __nn::NetworkTree::new(&__MAP, &[]);
            #network
            #weights
            #shown
        })
    }

    /// ```text
    /// impl Net { pub const fn new() -> Self { Net } }
    /// ```
    /// All that can be said of a network whose ports are not known.
    pub fn unit(header: &Header) -> TokenStream {
        let (name, attrs) = (&header.name, reaching(header));
        quote_spanned! {Span::mixed_site()=>
            #attrs
            impl #name {
                #[doc(hidden)]
                pub const fn new() -> Self {
                    #name
                }
            }
        }
    }

    fn block(&self, inner: TokenStream) -> TokenStream {
        let span = span_of(&self.header.name);
        let Shell { header, inputs, outputs } = self;
        let (name, attrs) = (&header.name, reaching(header));
        let text = header.title();
        let makes = header.outputs.iter().flatten().map(|port| port.name_or(""));
        let (n, m) = (Literal::usize_unsuffixed(inputs.len()), Literal::usize_unsuffixed(outputs.len()));
        quote_spanned! {span=>
            #attrs
            // A deep network's plan takes const evaluation a while.
            #[allow(
                long_running_const_eval,
                unexpected_cfgs,
                unused_qualifications,
                non_upper_case_globals,
                non_camel_case_types
            )]
            const _: () = {
                use ::nn_runtime::__private as __nn;
                use __nn::AnySignature as _;

                const declared_input: [__nn::Shape; #n] = [#(__nn::Shape::of(#inputs)),*];
                const declared_output: [__nn::Shape; #m] = [#(__nn::Shape::of(#outputs)),*];
                #inner

                fn __network() -> &'static __nn::CompiledNetwork {
                    &__MAP
                }
                impl #name {
                    #[doc(hidden)]
                    pub const fn new() -> Self {
                        #name
                    }
                    /// Numbers of memory in which it predicts up to this many samples at once.
                    pub const fn predict_len(__batch: ::core::primitive::usize) -> ::core::primitive::usize {
                        __MAP.predict_len(__batch)
                    }
                    __nn::with_stream! {
                        /// Numbers of memory in which it runs one step at a time.
                        pub const fn stream_len() -> ::core::primitive::usize {
                            __MAP.stream_len()
                        }
                    }
                    __nn::with_train! {
                        /// Bytes that a trainer holds beside the model and an optimiser's slots.
                        pub const fn train_bytes(__batch: ::core::primitive::usize) -> ::core::primitive::usize {
                            __nn::training_bytes(&__MAP, __batch)
                        }
                        /// Numbers of memory in which a trainer takes steps on up to this many samples,
                        /// with an optimiser that keeps so many numbers (slots) of each parameter.
                        pub const fn train_len(
                            __batch: ::core::primitive::usize,
                            __slots: ::core::primitive::usize,
                        ) -> ::core::primitive::usize {
                            __nn::training_len(&__MAP, __batch, __slots, false)
                        }
                        /// The same for steps by objectives on whole batches.
                        pub const fn train_whole_len(
                            __batch: ::core::primitive::usize,
                            __slots: ::core::primitive::usize,
                        ) -> ::core::primitive::usize {
                            __nn::training_len(&__MAP, __batch, __slots, true)
                        }
                        /// Numbers of memory in which gradients go through it, of this many samples at once.
                        pub const fn differentiate_len(__batch: ::core::primitive::usize) -> ::core::primitive::usize {
                            __MAP.differentiate_len(__batch)
                        }
                    }
                    #[doc(hidden)]
                    pub const __SIGNATURE: __nn::Signature = __nn::Signature::network(#text, #n, &[#(#makes),*]);
                    #[doc(hidden)]
                    pub const __NETWORK: ::core::option::Option<&'static __nn::NetworkTree> =
                        ::core::option::Option::Some(&__TREE);
                    #[cfg(not(rust_analyzer))]
                    #[doc(hidden)]
                    pub const fn rule(&self, x: [__nn::Shape; #n]) -> __nn::Rule {
                        __MAP.rule(__network, x)
                    }
                }
                impl __nn::Layer<#n, #m> for #name {
                    fn forward(&self, cx: &mut __nn::LayerContext<'_>, x: [&[f32]; #n], mut y: [&mut [f32]; #m]) {
                        <Self as __nn::Network>::forward_pass(cx, &x, &mut y)
                    }
                    fn backward_input(
                        &self,
                        cx: &mut __nn::LayerContext<'_>,
                        x: [&[f32]; #n],
                        y: [&[f32]; #m],
                        dy: [&[f32]; #m],
                        mut dx: [&mut [f32]; #n],
                    ) {
                        <Self as __nn::Network>::backward_input(cx, &x, &y, &dy, &mut dx)
                    }
                    fn backward_params(
                        &self,
                        cx: &mut __nn::ReadContext<'_>,
                        x: [&[f32]; #n],
                        dy: [&[f32]; #m],
                        part: __nn::ParamGrad<'_>,
                    ) {
                        <Self as __nn::Network>::backward_params(cx, &x, &dy, part)
                    }
                }
            };
        }
    }

    fn network(&self, head: TokenStream, passes: TokenStream) -> TokenStream {
        let span = span_of(&self.header.name);
        let name = &self.header.name;
        let inputs = numbers(self.inputs.len()).map(|i| quote_spanned!(span=> &'a [f32; declared_input[#i].len()]));
        let outputs = numbers(self.outputs.len()).map(|j| quote_spanned!(span=> &'a [f32; declared_output[#j].len()]));
        let steps =
            numbers(self.inputs.len()).map(|i| quote_spanned!(span=> &'a [f32; __nn::input_step(declared_input[#i])]));
        let results = numbers(self.outputs.len())
            .map(|j| quote_spanned!(span=> &'a [f32; __nn::output_step(declared_output[#j], declared_input[0])]));
        let (inputs, outputs, steps, results) = (tuple(inputs), tuple(outputs), tuple(steps), tuple(results));
        quote_spanned! {span=>
            impl __nn::Network for #name {
                type Input<'a> = #inputs;
                type Output<'a> = #outputs;
                type Step<'a> = #steps;
                type StepOutput<'a> = #results;
                type Head = #head;
                const COMPILED: &'static __nn::CompiledNetwork = &__MAP;
                #passes
            }
        }
    }
}

fn numbers(count: usize) -> impl Iterator<Item = Literal> {
    (0..count).map(Literal::usize_unsuffixed)
}

/// The only type, or a tuple of several.
fn tuple(types: impl Iterator<Item = TokenStream>) -> TokenStream {
    let types: Vec<_> = types.collect();
    match &types[..] {
        [only] => only.clone(),
        _ => quote_spanned!(Span::mixed_site()=> (#(#types),*)),
    }
}
