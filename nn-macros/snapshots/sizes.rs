type Net<const W: ::core::primitive::usize> = <::nn_runtime::__private::Size<
    W,
> as NetSizes>::Declared;
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "expected a `Net` of size 2 or 3, found `{Self}`",
    label = "`Net` is declared for 2 or 3"
)]
trait NetSizes {
    type Declared: ::nn_runtime::__private::Network;
}
const _: () = {
    const W: ::core::primitive::usize = 2;
    #[cfg_attr(
        doc,
        doc = "<div>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"120\" height=\"122\" viewBox=\"0 0 120 122\" style=\"max-width: 100%\" font-family=\"monospace\" font-size=\"13\" fill=\"none\" stroke=\"currentColor\"><rect x=\"16\" y=\"1\" width=\"88\" height=\"24\" rx=\"12\"/><text x=\"60\" y=\"17\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">input [4]</text><path d=\"M60 25 L60 44 m-3 -2 l3 6 l3 -6\"/><rect x=\"20\" y=\"49\" width=\"80\" height=\"24\" rx=\"3\"/><text x=\"60\" y=\"65\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Dense(W)</text><path d=\"M60 73 L60 92 m-3 -2 l3 6 l3 -6\"/><rect x=\"12\" y=\"97\" width=\"96\" height=\"24\" rx=\"12\"/><text x=\"60\" y=\"113\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">output [1]</text></svg>\n</div>",
        doc = "",
        doc = "| layer | | reads |\n|---|---|---|\n| `dense_1` | `Dense(W)` | `input` |\n\n`Net::summary()` tells what each gives, and its parameters, multiply-adds and bytes.\n"
    )]
    #[::core::prelude::v1::derive(
        ::core::clone::Clone,
        ::core::marker::Copy,
        ::core::fmt::Debug,
        ::core::default::Default,
    )]
    struct Net;
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
        const declared_input: [__nn::Shape; 1] = [__nn::Shape::of([4])];
        const declared_output: [__nn::Shape; 1] = [__nn::Shape::of([1])];
        const _: () = __nn::check_input("input", declared_input[0]);
        const __V0: __nn::TracedValue = __nn::TracedValue::input(
            "input",
            declared_input[0],
        );
        type __T0 = Dense;
        type dense_1_call = <__T0 as __nn::Checked<
            {
                __nn::check_call(
                    "dense_1",
                    &__T0::__SIGNATURE,
                    &__nn::Call {
                        positional: &["W"],
                        named: &[],
                        reads: &["input"],
                        outputs: 1,
                        path: "Dense",
                        is_layer: __nn::IsLayer::<__T0, 1, 1>::__LAYER,
                    },
                )
            },
        >>::Layer;
        const dense_1_rule: __nn::Rule = __nn::Answer(
                dense_1_call::new(W).rule([__V0.shape()]),
            )
            .rule();
        const dense_1: () = __nn::check("dense_1", &dense_1_rule, &[&__V0], 1);
        static __F0: __nn::Site = __nn::site(&dense_1_rule, [__V0.shape()]);
        const __V1: __nn::TracedValue = __nn::TracedValue::after(
            &__V0,
            "dense_1",
            &dense_1_rule,
            0,
        );
        const _: () = __nn::check_output("output", &__V1, declared_output[0]);
        static __GRAPH: __nn::Graph<1, 2> = __nn::Graph::new(
            declared_input,
            [__nn::Node::new("dense_1", &__F0, [0], 1)],
            [1],
        );
        static __INFER: __nn::Plan<1> = __GRAPH.plan(__nn::Pass::Infer);
        static __TRAIN: __nn::Plan<1> = __GRAPH.plan(__nn::Pass::Train);
        static __ASKED: __nn::Plan<1> = __GRAPH.plan(__nn::Pass::TrainWithInputGrad);
        static __STREAM: __nn::Plan<1> = __GRAPH.stream();
        static __MAP: __nn::CompiledNetwork = __nn::CompiledNetwork::new(
            "Net<2>",
            &__GRAPH,
            (&declared_input, &declared_output),
            [&["input"], &["output"]],
            [&__INFER, &__TRAIN, &__ASKED, &__STREAM],
        );
        static __TREE: __nn::NetworkTree = __nn::NetworkTree::new(&__MAP, &[]);
        #[inline]
        fn __l0() -> impl __nn::Layer<1, 1> {
            const { dense_1_call::new(W) }
        }
        #[cfg(rust_analyzer)]
        __nn::shown! {
            Net 1[__F0] 1 : dense_1_rule;
        }
        impl __nn::Network for Net {
            type Input<'a> = &'a [f32; declared_input[0].len()];
            type Output<'a> = &'a [f32; declared_output[0].len()];
            type Step<'a> = &'a [f32; __nn::input_step(declared_input[0])];
            type StepOutput<'a> = &'a [f32; __nn::output_step(
                declared_output[0],
                declared_input[0],
            )];
            type Head = __nn::HeadOf<{ __GRAPH.head(0) as usize }>;
            const COMPILED: &'static __nn::CompiledNetwork = &__MAP;
            fn forward_pass(
                cx: &mut __nn::LayerContext<'_>,
                x: &[&[f32]],
                y: &mut [&mut [f32]],
            ) {
                let mut pass = __nn::Forward::begin(cx, &__MAP, x, y);
                pass.layer::<1, 1>(0, &__l0());
                pass.end();
            }
            fn backward_input(
                cx: &mut __nn::LayerContext<'_>,
                x: &[&[f32]],
                y: &[&[f32]],
                dy: &[&[f32]],
                dx: &mut [&mut [f32]],
            ) {
                let mut pass = __nn::BackwardInput::begin(cx, &__MAP, x, y, dy, dx);
                pass.layer::<1, 1>(0, &__l0());
            }
            fn backward_params(
                cx: &mut __nn::ReadContext<'_>,
                x: &[&[f32]],
                dy: &[&[f32]],
                part: __nn::ParamGrad<'_>,
            ) {
                let mut pass = __nn::BackwardParams::begin(cx, &__MAP, x, dy, part);
                pass.layer::<1, 1>(0, &__l0());
            }
        }
        fn __network() -> &'static __nn::CompiledNetwork {
            &__MAP
        }
        impl Net {
            #[doc(hidden)]
            pub const fn new() -> Self {
                Net
            }
            /// Numbers of memory in which it predicts up to this many samples at once.
            pub const fn predict_len(
                __batch: ::core::primitive::usize,
            ) -> ::core::primitive::usize {
                __MAP.predict_len(__batch)
            }
            __nn::with_stream! {
                #[doc = r" Numbers of memory in which it runs one step at a time."] pub
                const fn stream_len() -> ::core::primitive::usize { __MAP.stream_len() }
            }
            __nn::with_train! {
                #[doc =
                r" Bytes that a trainer holds beside the model and an optimiser's slots."]
                pub const fn train_bytes(__batch : ::core::primitive::usize) ->
                ::core::primitive::usize { __nn::training_bytes(& __MAP, __batch) } #[doc
                =
                r" Numbers of memory in which a trainer takes steps on up to this many samples,"]
                #[doc =
                r" with an optimiser that keeps so many numbers (slots) of each parameter."]
                pub const fn train_len(__batch : ::core::primitive::usize, __slots :
                ::core::primitive::usize,) -> ::core::primitive::usize {
                __nn::training_len(& __MAP, __batch, __slots, false) } #[doc =
                r" The same for steps by objectives on whole batches."] pub const fn
                train_whole_len(__batch : ::core::primitive::usize, __slots :
                ::core::primitive::usize,) -> ::core::primitive::usize {
                __nn::training_len(& __MAP, __batch, __slots, true) } #[doc =
                r" Numbers of memory in which gradients go through it, of this many samples at once."]
                pub const fn differentiate_len(__batch : ::core::primitive::usize) ->
                ::core::primitive::usize { __MAP.differentiate_len(__batch) }
            }
            #[doc(hidden)]
            pub const __SIGNATURE: __nn::Signature = __nn::Signature::network(
                "Net<2>",
                1,
                &[""],
            );
            #[doc(hidden)]
            pub const __NETWORK: ::core::option::Option<&'static __nn::NetworkTree> = ::core::option::Option::Some(
                &__TREE,
            );
            #[cfg(not(rust_analyzer))]
            #[doc(hidden)]
            pub const fn rule(&self, x: [__nn::Shape; 1]) -> __nn::Rule {
                __MAP.rule(__network, x)
            }
        }
        impl __nn::Layer<1, 1> for Net {
            fn forward(
                &self,
                cx: &mut __nn::LayerContext<'_>,
                x: [&[f32]; 1],
                mut y: [&mut [f32]; 1],
            ) {
                <Self as __nn::Network>::forward_pass(cx, &x, &mut y)
            }
            fn backward_input(
                &self,
                cx: &mut __nn::LayerContext<'_>,
                x: [&[f32]; 1],
                y: [&[f32]; 1],
                dy: [&[f32]; 1],
                mut dx: [&mut [f32]; 1],
            ) {
                <Self as __nn::Network>::backward_input(cx, &x, &y, &dy, &mut dx)
            }
            fn backward_params(
                &self,
                cx: &mut __nn::ReadContext<'_>,
                x: [&[f32]; 1],
                dy: [&[f32]; 1],
                part: __nn::ParamGrad<'_>,
            ) {
                <Self as __nn::Network>::backward_params(cx, &x, &dy, part)
            }
        }
    };
    impl NetSizes for ::nn_runtime::__private::Size<{ W }> {
        type Declared = Net;
    }
};
const _: () = {
    const W: ::core::primitive::usize = 3;
    #[cfg_attr(
        doc,
        doc = "<div>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"120\" height=\"122\" viewBox=\"0 0 120 122\" style=\"max-width: 100%\" font-family=\"monospace\" font-size=\"13\" fill=\"none\" stroke=\"currentColor\"><rect x=\"16\" y=\"1\" width=\"88\" height=\"24\" rx=\"12\"/><text x=\"60\" y=\"17\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">input [4]</text><path d=\"M60 25 L60 44 m-3 -2 l3 6 l3 -6\"/><rect x=\"20\" y=\"49\" width=\"80\" height=\"24\" rx=\"3\"/><text x=\"60\" y=\"65\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Dense(W)</text><path d=\"M60 73 L60 92 m-3 -2 l3 6 l3 -6\"/><rect x=\"12\" y=\"97\" width=\"96\" height=\"24\" rx=\"12\"/><text x=\"60\" y=\"113\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">output [1]</text></svg>\n</div>",
        doc = "",
        doc = "| layer | | reads |\n|---|---|---|\n| `dense_1` | `Dense(W)` | `input` |\n\n`Net::summary()` tells what each gives, and its parameters, multiply-adds and bytes.\n"
    )]
    #[::core::prelude::v1::derive(
        ::core::clone::Clone,
        ::core::marker::Copy,
        ::core::fmt::Debug,
        ::core::default::Default,
    )]
    struct Net;
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
        const declared_input: [__nn::Shape; 1] = [__nn::Shape::of([4])];
        const declared_output: [__nn::Shape; 1] = [__nn::Shape::of([1])];
        const _: () = __nn::check_input("input", declared_input[0]);
        const __V0: __nn::TracedValue = __nn::TracedValue::input(
            "input",
            declared_input[0],
        );
        type __T0 = Dense;
        type dense_1_call = <__T0 as __nn::Checked<
            {
                __nn::check_call(
                    "dense_1",
                    &__T0::__SIGNATURE,
                    &__nn::Call {
                        positional: &["W"],
                        named: &[],
                        reads: &["input"],
                        outputs: 1,
                        path: "Dense",
                        is_layer: __nn::IsLayer::<__T0, 1, 1>::__LAYER,
                    },
                )
            },
        >>::Layer;
        const dense_1_rule: __nn::Rule = __nn::Answer(
                dense_1_call::new(W).rule([__V0.shape()]),
            )
            .rule();
        const dense_1: () = __nn::check("dense_1", &dense_1_rule, &[&__V0], 1);
        static __F0: __nn::Site = __nn::site(&dense_1_rule, [__V0.shape()]);
        const __V1: __nn::TracedValue = __nn::TracedValue::after(
            &__V0,
            "dense_1",
            &dense_1_rule,
            0,
        );
        const _: () = __nn::check_output("output", &__V1, declared_output[0]);
        static __GRAPH: __nn::Graph<1, 2> = __nn::Graph::new(
            declared_input,
            [__nn::Node::new("dense_1", &__F0, [0], 1)],
            [1],
        );
        static __INFER: __nn::Plan<1> = __GRAPH.plan(__nn::Pass::Infer);
        static __TRAIN: __nn::Plan<1> = __GRAPH.plan(__nn::Pass::Train);
        static __ASKED: __nn::Plan<1> = __GRAPH.plan(__nn::Pass::TrainWithInputGrad);
        static __STREAM: __nn::Plan<1> = __GRAPH.stream();
        static __MAP: __nn::CompiledNetwork = __nn::CompiledNetwork::new(
            "Net<3>",
            &__GRAPH,
            (&declared_input, &declared_output),
            [&["input"], &["output"]],
            [&__INFER, &__TRAIN, &__ASKED, &__STREAM],
        );
        static __TREE: __nn::NetworkTree = __nn::NetworkTree::new(&__MAP, &[]);
        #[inline]
        fn __l0() -> impl __nn::Layer<1, 1> {
            const { dense_1_call::new(W) }
        }
        #[cfg(rust_analyzer)]
        __nn::shown! {
            Net 1[__F0] 1 : dense_1_rule;
        }
        impl __nn::Network for Net {
            type Input<'a> = &'a [f32; declared_input[0].len()];
            type Output<'a> = &'a [f32; declared_output[0].len()];
            type Step<'a> = &'a [f32; __nn::input_step(declared_input[0])];
            type StepOutput<'a> = &'a [f32; __nn::output_step(
                declared_output[0],
                declared_input[0],
            )];
            type Head = __nn::HeadOf<{ __GRAPH.head(0) as usize }>;
            const COMPILED: &'static __nn::CompiledNetwork = &__MAP;
            fn forward_pass(
                cx: &mut __nn::LayerContext<'_>,
                x: &[&[f32]],
                y: &mut [&mut [f32]],
            ) {
                let mut pass = __nn::Forward::begin(cx, &__MAP, x, y);
                pass.layer::<1, 1>(0, &__l0());
                pass.end();
            }
            fn backward_input(
                cx: &mut __nn::LayerContext<'_>,
                x: &[&[f32]],
                y: &[&[f32]],
                dy: &[&[f32]],
                dx: &mut [&mut [f32]],
            ) {
                let mut pass = __nn::BackwardInput::begin(cx, &__MAP, x, y, dy, dx);
                pass.layer::<1, 1>(0, &__l0());
            }
            fn backward_params(
                cx: &mut __nn::ReadContext<'_>,
                x: &[&[f32]],
                dy: &[&[f32]],
                part: __nn::ParamGrad<'_>,
            ) {
                let mut pass = __nn::BackwardParams::begin(cx, &__MAP, x, dy, part);
                pass.layer::<1, 1>(0, &__l0());
            }
        }
        fn __network() -> &'static __nn::CompiledNetwork {
            &__MAP
        }
        impl Net {
            #[doc(hidden)]
            pub const fn new() -> Self {
                Net
            }
            /// Numbers of memory in which it predicts up to this many samples at once.
            pub const fn predict_len(
                __batch: ::core::primitive::usize,
            ) -> ::core::primitive::usize {
                __MAP.predict_len(__batch)
            }
            __nn::with_stream! {
                #[doc = r" Numbers of memory in which it runs one step at a time."] pub
                const fn stream_len() -> ::core::primitive::usize { __MAP.stream_len() }
            }
            __nn::with_train! {
                #[doc =
                r" Bytes that a trainer holds beside the model and an optimiser's slots."]
                pub const fn train_bytes(__batch : ::core::primitive::usize) ->
                ::core::primitive::usize { __nn::training_bytes(& __MAP, __batch) } #[doc
                =
                r" Numbers of memory in which a trainer takes steps on up to this many samples,"]
                #[doc =
                r" with an optimiser that keeps so many numbers (slots) of each parameter."]
                pub const fn train_len(__batch : ::core::primitive::usize, __slots :
                ::core::primitive::usize,) -> ::core::primitive::usize {
                __nn::training_len(& __MAP, __batch, __slots, false) } #[doc =
                r" The same for steps by objectives on whole batches."] pub const fn
                train_whole_len(__batch : ::core::primitive::usize, __slots :
                ::core::primitive::usize,) -> ::core::primitive::usize {
                __nn::training_len(& __MAP, __batch, __slots, true) } #[doc =
                r" Numbers of memory in which gradients go through it, of this many samples at once."]
                pub const fn differentiate_len(__batch : ::core::primitive::usize) ->
                ::core::primitive::usize { __MAP.differentiate_len(__batch) }
            }
            #[doc(hidden)]
            pub const __SIGNATURE: __nn::Signature = __nn::Signature::network(
                "Net<3>",
                1,
                &[""],
            );
            #[doc(hidden)]
            pub const __NETWORK: ::core::option::Option<&'static __nn::NetworkTree> = ::core::option::Option::Some(
                &__TREE,
            );
            #[cfg(not(rust_analyzer))]
            #[doc(hidden)]
            pub const fn rule(&self, x: [__nn::Shape; 1]) -> __nn::Rule {
                __MAP.rule(__network, x)
            }
        }
        impl __nn::Layer<1, 1> for Net {
            fn forward(
                &self,
                cx: &mut __nn::LayerContext<'_>,
                x: [&[f32]; 1],
                mut y: [&mut [f32]; 1],
            ) {
                <Self as __nn::Network>::forward_pass(cx, &x, &mut y)
            }
            fn backward_input(
                &self,
                cx: &mut __nn::LayerContext<'_>,
                x: [&[f32]; 1],
                y: [&[f32]; 1],
                dy: [&[f32]; 1],
                mut dx: [&mut [f32]; 1],
            ) {
                <Self as __nn::Network>::backward_input(cx, &x, &y, &dy, &mut dx)
            }
            fn backward_params(
                &self,
                cx: &mut __nn::ReadContext<'_>,
                x: [&[f32]; 1],
                dy: [&[f32]; 1],
                part: __nn::ParamGrad<'_>,
            ) {
                <Self as __nn::Network>::backward_params(cx, &x, &dy, part)
            }
        }
    };
    impl NetSizes for ::nn_runtime::__private::Size<{ W }> {
        type Declared = Net;
    }
};
::nn_runtime::__private::with_alloc! {
    ::nn_runtime::__private::any_size! { AnyNet of Net "Net" : W2 2 W3 3 }
}
