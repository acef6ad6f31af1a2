#[allow(unexpected_cfgs)]
const _: () = {
    #[cfg(rust_analyzer)]
    ::nn_runtime::__private::editor! {
        Tuned places { { start::Deep; } { start::h; } { let _ : layers::Dense; } {
        start::nothing; } } calls { { Dense::new(10); } } shown { Tuned 0 backbone 1 Deep
        1 h 1 Dense 2 } inputs { input[16] } values { h 1 } labels { backbone 1 }
    }
};
#[cfg_attr(
    doc,
    doc = "<div>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"128\" height=\"170\" viewBox=\"0 0 128 170\" style=\"max-width: 100%\" font-family=\"monospace\" font-size=\"13\" fill=\"none\" stroke=\"currentColor\"><rect x=\"16\" y=\"1\" width=\"96\" height=\"24\" rx=\"12\"/><text x=\"64\" y=\"17\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">input [16]</text><path d=\"M64 25 L64 44 m-3 -2 l3 6 l3 -6\"/><rect x=\"40\" y=\"49\" width=\"48\" height=\"24\" rx=\"3\"/><text x=\"64\" y=\"65\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Deep</text><path d=\"M64 73 L64 92 m-3 -2 l3 6 l3 -6\"/><rect x=\"20\" y=\"97\" width=\"88\" height=\"24\" rx=\"3\"/><text x=\"64\" y=\"113\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Dense(10)</text><path d=\"M64 121 L64 140 m-3 -2 l3 6 l3 -6\"/><rect x=\"12\" y=\"145\" width=\"104\" height=\"24\" rx=\"12\"/><text x=\"64\" y=\"161\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">output [10]</text></svg>\n</div>",
    doc = "",
    doc = "| layer | | reads |\n|---|---|---|\n| `backbone` | frozen `Deep` | `input` |\n| `dense_1` | frozen `Dense(10)` | `backbone` |\n\n`Tuned::summary()` tells what each gives, and its parameters, multiply-adds and bytes.\n"
)]
#[::core::prelude::v1::derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
)]
pub struct Tuned;
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
    const declared_input: [__nn::Shape; 1] = [__nn::Shape::of([16])];
    const declared_output: [__nn::Shape; 1] = [__nn::Shape::of([10])];
    const _: () = __nn::check_input("input", declared_input[0]);
    const __V0: __nn::TracedValue = __nn::TracedValue::input("input", declared_input[0]);
    type __T0 = Deep;
    type backbone_call = <__T0 as __nn::Checked<
        {
            __nn::check_call(
                "backbone",
                &__T0::__SIGNATURE,
                &__nn::Call {
                    positional: &[],
                    named: &[],
                    reads: &["input"],
                    outputs: 1,
                    path: "Deep",
                    is_layer: __nn::IsLayer::<__T0, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const backbone_rule: __nn::Rule = __nn::Answer(
            backbone_call::new().rule([__V0.shape()]),
        )
        .rule();
    const backbone: () = __nn::check("backbone", &backbone_rule, &[&__V0], 1);
    const _: () = __nn::check_frozen("backbone", &backbone_rule);
    static __F0: __nn::Site = __nn::site(&backbone_rule, [__V0.shape()]);
    const __V1: __nn::TracedValue = __nn::TracedValue::after(
        &__V0,
        "backbone",
        &backbone_rule,
        0,
    );
    type __T1 = Dense;
    type dense_1_call = <__T1 as __nn::Checked<
        {
            __nn::check_call(
                "dense_1",
                &__T1::__SIGNATURE,
                &__nn::Call {
                    positional: &["10"],
                    named: &[],
                    reads: &["h"],
                    outputs: 1,
                    path: "Dense",
                    is_layer: __nn::IsLayer::<__T1, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const dense_1_rule: __nn::Rule = __nn::Answer(
            dense_1_call::new(10).rule([__V1.shape()]),
        )
        .rule();
    const dense_1: () = __nn::check("dense_1", &dense_1_rule, &[&__V1], 1);
    const _: () = __nn::check_frozen("dense_1", &dense_1_rule);
    static __F1: __nn::Site = __nn::site(&dense_1_rule, [__V1.shape()]);
    const __V2: __nn::TracedValue = __nn::TracedValue::after(
        &__V1,
        "dense_1",
        &dense_1_rule,
        0,
    );
    const _: () = __nn::check_output("output", &__V2, declared_output[0]);
    static __GRAPH: __nn::Graph<2, 3> = __nn::Graph::new(
        declared_input,
        [
            __nn::Node::new("backbone", &__F0, [0], 1).frozen(),
            __nn::Node::new("dense_1", &__F1, [1], 2).frozen(),
        ],
        [2],
    );
    static __INFER: __nn::Plan<2> = __GRAPH.plan(__nn::Pass::Infer);
    static __TRAIN: __nn::Plan<2> = __GRAPH.plan(__nn::Pass::Train);
    static __ASKED: __nn::Plan<2> = __GRAPH.plan(__nn::Pass::TrainWithInputGrad);
    static __STREAM: __nn::Plan<2> = __GRAPH.stream();
    static __MAP: __nn::CompiledNetwork = __nn::CompiledNetwork::new(
        "Tuned",
        &__GRAPH,
        (&declared_input, &declared_output),
        [&["input"], &["output"]],
        [&__INFER, &__TRAIN, &__ASKED, &__STREAM],
    );
    static __TREE: __nn::NetworkTree = __nn::NetworkTree::new(
        &__MAP,
        &[(0, __T0::__NETWORK)],
    );
    #[inline]
    fn __l0() -> impl __nn::Layer<1, 1> {
        const { backbone_call::new() }
    }
    #[inline]
    fn __l1() -> impl __nn::Layer<1, 1> {
        const { dense_1_call::new(10) }
    }
    #[cfg(rust_analyzer)]
    __nn::shown! {
        Tuned 1[__F0 __F1] 1 : backbone_rule; 2 : dense_1_rule;
    }
    impl __nn::Network for Tuned {
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
            pass.layer::<1, 1>(1, &__l1());
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
            pass.layer::<1, 1>(1, &__l1());
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
            pass.layer::<1, 1>(1, &__l1());
        }
    }
    fn __network() -> &'static __nn::CompiledNetwork {
        &__MAP
    }
    impl Tuned {
        #[doc(hidden)]
        pub const fn new() -> Self {
            Tuned
        }
        /// Numbers of memory in which it predicts up to this many samples at once.
        pub const fn predict_len(
            __batch: ::core::primitive::usize,
        ) -> ::core::primitive::usize {
            __MAP.predict_len(__batch)
        }
        __nn::with_stream! {
            #[doc = r" Numbers of memory in which it runs one step at a time."] pub const
            fn stream_len() -> ::core::primitive::usize { __MAP.stream_len() }
        }
        __nn::with_train! {
            #[doc =
            r" Bytes that a trainer holds beside the model and an optimiser's slots."]
            pub const fn train_bytes(__batch : ::core::primitive::usize) ->
            ::core::primitive::usize { __nn::training_bytes(& __MAP, __batch) } #[doc =
            r" Numbers of memory in which a trainer takes steps on up to this many samples,"]
            #[doc =
            r" with an optimiser that keeps so many numbers (slots) of each parameter."]
            pub const fn train_len(__batch : ::core::primitive::usize, __slots :
            ::core::primitive::usize,) -> ::core::primitive::usize { __nn::training_len(&
            __MAP, __batch, __slots, false) } #[doc =
            r" The same for steps by objectives on whole batches."] pub const fn
            train_whole_len(__batch : ::core::primitive::usize, __slots :
            ::core::primitive::usize,) -> ::core::primitive::usize { __nn::training_len(&
            __MAP, __batch, __slots, true) } #[doc =
            r" Numbers of memory in which gradients go through it, of this many samples at once."]
            pub const fn differentiate_len(__batch : ::core::primitive::usize) ->
            ::core::primitive::usize { __MAP.differentiate_len(__batch) }
        }
        #[doc(hidden)]
        pub const __SIGNATURE: __nn::Signature = __nn::Signature::network(
            "Tuned",
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
    impl __nn::Layer<1, 1> for Tuned {
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
