#[allow(unexpected_cfgs)]
const _: () = {
    #[cfg(rust_analyzer)]
    ::nn_runtime::__private::editor! {
        Tied places { { start::Dense; } { let _ : layers::Relu; } { labels::tie; } {
        labels::tie; } { let _ : layers::Dense; } { start::nothing; } } calls { {
        Dense::new(16); } { Dense::new(16); } } shown { Tied 0 tie 1 Dense 1 Relu 2 share
        3 share 4 Dense 5 } inputs { input[16] } values {} labels { tie 1 }
    }
};
#[cfg_attr(
    doc,
    doc = "<div>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"128\" height=\"314\" viewBox=\"0 0 128 314\" style=\"max-width: 100%\" font-family=\"monospace\" font-size=\"13\" fill=\"none\" stroke=\"currentColor\"><rect x=\"16\" y=\"1\" width=\"96\" height=\"24\" rx=\"12\"/><text x=\"64\" y=\"17\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">input [16]</text><path d=\"M64 25 L64 44 m-3 -2 l3 6 l3 -6\"/><rect x=\"20\" y=\"49\" width=\"88\" height=\"24\" rx=\"3\"/><text x=\"64\" y=\"65\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Dense(16)</text><path d=\"M64 73 L64 92 m-3 -2 l3 6 l3 -6\"/><rect x=\"40\" y=\"97\" width=\"48\" height=\"24\" rx=\"3\"/><text x=\"64\" y=\"113\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Relu</text><path d=\"M64 121 L64 140 m-3 -2 l3 6 l3 -6\"/><rect x=\"16\" y=\"145\" width=\"96\" height=\"24\" rx=\"3\"/><text x=\"64\" y=\"161\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">share(tie)</text><path d=\"M64 169 L64 188 m-3 -2 l3 6 l3 -6\"/><rect x=\"16\" y=\"193\" width=\"96\" height=\"24\" rx=\"3\"/><text x=\"64\" y=\"209\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">share(tie)</text><path d=\"M64 217 L64 236 m-3 -2 l3 6 l3 -6\"/><rect x=\"20\" y=\"241\" width=\"88\" height=\"24\" rx=\"3\"/><text x=\"64\" y=\"257\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Dense(16)</text><path d=\"M64 265 L64 284 m-3 -2 l3 6 l3 -6\"/><rect x=\"12\" y=\"289\" width=\"104\" height=\"24\" rx=\"12\"/><text x=\"64\" y=\"305\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">output [16]</text></svg>\n</div>",
    doc = "",
    doc = "| layer | | reads |\n|---|---|---|\n| `tie` | `Dense(16)` | `input` |\n| `relu_1` | `Relu` | `tie` |\n| `dense_1` | `share(tie)` | `relu_1` |\n| `again` | `share(tie)` | `dense_1` |\n| `dense_2` | `Dense(16)` | `again` |\n\n`Tied::summary()` tells what each gives, and its parameters, multiply-adds and bytes.\n"
)]
#[::core::prelude::v1::derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
)]
pub struct Tied;
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
    const declared_output: [__nn::Shape; 1] = [__nn::Shape::of([16])];
    const _: () = __nn::check_input("input", declared_input[0]);
    const __V0: __nn::TracedValue = __nn::TracedValue::input("input", declared_input[0]);
    type __T0 = Dense;
    type tie_call = <__T0 as __nn::Checked<
        {
            __nn::check_call(
                "tie",
                &__T0::__SIGNATURE,
                &__nn::Call {
                    positional: &["16"],
                    named: &[],
                    reads: &["input"],
                    outputs: 1,
                    path: "Dense",
                    is_layer: __nn::IsLayer::<__T0, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const tie_rule: __nn::Rule = __nn::Answer(tie_call::new(16).rule([__V0.shape()]))
        .rule();
    const tie: () = __nn::check("tie", &tie_rule, &[&__V0], 1);
    static __F0: __nn::Site = __nn::site(&tie_rule, [__V0.shape()]);
    const __V1: __nn::TracedValue = __nn::TracedValue::after(&__V0, "tie", &tie_rule, 0);
    type __T1 = Relu;
    type relu_1_call = <__T1 as __nn::Checked<
        {
            __nn::check_call(
                "relu_1",
                &__T1::__SIGNATURE,
                &__nn::Call {
                    positional: &[],
                    named: &[],
                    reads: &["…"],
                    outputs: 1,
                    path: "Relu",
                    is_layer: __nn::IsLayer::<__T1, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const relu_1_rule: __nn::Rule = __nn::Answer(relu_1_call::new().rule([__V1.shape()]))
        .rule();
    const relu_1: () = __nn::check("relu_1", &relu_1_rule, &[&__V1], 1);
    static __F1: __nn::Site = __nn::site(&relu_1_rule, [__V1.shape()]);
    const __V2: __nn::TracedValue = __nn::TracedValue::after(
        &__V1,
        "relu_1",
        &relu_1_rule,
        0,
    );
    type __T2 = Dense;
    type dense_1_call = <__T2 as __nn::Checked<
        {
            __nn::check_call(
                "dense_1",
                &__T2::__SIGNATURE,
                &__nn::Call {
                    positional: &["16"],
                    named: &[],
                    reads: &["…"],
                    outputs: 1,
                    path: "Dense",
                    is_layer: __nn::IsLayer::<__T2, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const dense_1_rule: __nn::Rule = __nn::Answer(
            dense_1_call::new(16).rule([__V2.shape()]),
        )
        .rule();
    const dense_1: () = __nn::check("dense_1", &dense_1_rule, &[&__V2], 1);
    const _: () = __nn::check_shared("dense_1", &dense_1_rule, "tie", &tie_rule, &__V2);
    static __F2: __nn::Site = __nn::site(&dense_1_rule, [__V2.shape()]);
    const __V3: __nn::TracedValue = __nn::TracedValue::after(
        &__V2,
        "dense_1",
        &dense_1_rule,
        0,
    );
    type __T3 = Dense;
    type again_call = <__T3 as __nn::Checked<
        {
            __nn::check_call(
                "again",
                &__T3::__SIGNATURE,
                &__nn::Call {
                    positional: &["16"],
                    named: &[],
                    reads: &["…"],
                    outputs: 1,
                    path: "Dense",
                    is_layer: __nn::IsLayer::<__T3, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const again_rule: __nn::Rule = __nn::Answer(again_call::new(16).rule([__V3.shape()]))
        .rule();
    const again: () = __nn::check("again", &again_rule, &[&__V3], 1);
    const _: () = __nn::check_shared("again", &again_rule, "tie", &tie_rule, &__V3);
    static __F3: __nn::Site = __nn::site(&again_rule, [__V3.shape()]);
    const __V4: __nn::TracedValue = __nn::TracedValue::after(
        &__V3,
        "again",
        &again_rule,
        0,
    );
    type __T4 = Dense;
    type dense_2_call = <__T4 as __nn::Checked<
        {
            __nn::check_call(
                "dense_2",
                &__T4::__SIGNATURE,
                &__nn::Call {
                    positional: &["16"],
                    named: &[],
                    reads: &["…"],
                    outputs: 1,
                    path: "Dense",
                    is_layer: __nn::IsLayer::<__T4, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const dense_2_rule: __nn::Rule = __nn::Answer(
            dense_2_call::new(16).rule([__V4.shape()]),
        )
        .rule();
    const dense_2: () = __nn::check("dense_2", &dense_2_rule, &[&__V4], 1);
    static __F4: __nn::Site = __nn::site(&dense_2_rule, [__V4.shape()]);
    const __V5: __nn::TracedValue = __nn::TracedValue::after(
        &__V4,
        "dense_2",
        &dense_2_rule,
        0,
    );
    const _: () = __nn::check_output("output", &__V5, declared_output[0]);
    static __GRAPH: __nn::Graph<5, 6> = __nn::Graph::new(
        declared_input,
        [
            __nn::Node::new("tie", &__F0, [0], 1),
            __nn::Node::new("relu_1", &__F1, [1], 2),
            __nn::Node::new("dense_1", &__F2, [2], 3).shares(0),
            __nn::Node::new("again", &__F3, [3], 4).shares(0),
            __nn::Node::new("dense_2", &__F4, [4], 5),
        ],
        [5],
    );
    static __INFER: __nn::Plan<5> = __GRAPH.plan(__nn::Pass::Infer);
    static __TRAIN: __nn::Plan<5> = __GRAPH.plan(__nn::Pass::Train);
    static __ASKED: __nn::Plan<5> = __GRAPH.plan(__nn::Pass::TrainWithInputGrad);
    static __STREAM: __nn::Plan<5> = __GRAPH.stream();
    static __MAP: __nn::CompiledNetwork = __nn::CompiledNetwork::new(
        "Tied",
        &__GRAPH,
        (&declared_input, &declared_output),
        [&["input"], &["output"]],
        [&__INFER, &__TRAIN, &__ASKED, &__STREAM],
    );
    static __TREE: __nn::NetworkTree = __nn::NetworkTree::new(
        &__MAP,
        &[(1, __T1::__NETWORK)],
    );
    #[inline]
    fn __l0() -> impl __nn::Layer<1, 1> {
        const { tie_call::new(16) }
    }
    #[inline]
    fn __l1() -> impl __nn::Layer<1, 1> {
        const { relu_1_call::new() }
    }
    #[inline]
    fn __l2() -> impl __nn::Layer<1, 1> {
        const { dense_1_call::new(16) }
    }
    #[inline]
    fn __l3() -> impl __nn::Layer<1, 1> {
        const { again_call::new(16) }
    }
    #[inline]
    fn __l4() -> impl __nn::Layer<1, 1> {
        const { dense_2_call::new(16) }
    }
    #[cfg(rust_analyzer)]
    __nn::shown! {
        Tied 1[__F0 __F1 __F4] 1 : tie_rule; 2 : relu_1_rule; 3 : dense_1_rule; 4 :
        again_rule; 5 : dense_2_rule;
    }
    impl __nn::Network for Tied {
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
            pass.layer::<1, 1>(2, &__l2());
            pass.layer::<1, 1>(3, &__l3());
            pass.layer::<1, 1>(4, &__l4());
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
            pass.layer::<1, 1>(4, &__l4());
            pass.layer::<1, 1>(3, &__l3());
            pass.layer::<1, 1>(2, &__l2());
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
            pass.layer::<1, 1>(2, &__l2());
            pass.layer::<1, 1>(3, &__l3());
            pass.layer::<1, 1>(4, &__l4());
        }
    }
    fn __network() -> &'static __nn::CompiledNetwork {
        &__MAP
    }
    impl Tied {
        #[doc(hidden)]
        pub const fn new() -> Self {
            Tied
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
            "Tied",
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
    impl __nn::Layer<1, 1> for Tied {
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
