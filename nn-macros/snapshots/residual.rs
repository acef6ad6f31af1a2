#[allow(unexpected_cfgs)]
const _: () = {
    #[cfg(rust_analyzer)]
    ::nn_runtime::__private::editor! {
        Block places { { start::input; } { start::x; } { let _ : layers::Conv2d; } { let
        _ : layers::BatchNorm; } { values::x; } { values::y; } { values::nothing; } { let
        _ : layers::Sum; } { let _ : layers::Relu; } { start::nothing; } } calls { {
        Conv2d::new(16, 3); } } shown { Block 0 x 0 Conv2d 1 BatchNorm 2 y 2 Sum 3 Relu 4
        } inputs { input[16, 32, 32] } values { x 0 y 2 } labels {}
    }
};
#[cfg_attr(
    doc,
    doc = "<div>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"240\" height=\"266\" viewBox=\"0 0 240 266\" style=\"max-width: 100%\" font-family=\"monospace\" font-size=\"13\" fill=\"none\" stroke=\"currentColor\"><rect x=\"16\" y=\"1\" width=\"160\" height=\"24\" rx=\"12\"/><text x=\"96\" y=\"17\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">input [16, 32, 32]</text><path d=\"M96 25 L96 44 m-3 -2 l3 6 l3 -6\"/><rect x=\"36\" y=\"49\" width=\"120\" height=\"24\" rx=\"3\"/><text x=\"96\" y=\"65\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Conv2d(16, 3)</text><path d=\"M96 73 L96 92 m-3 -2 l3 6 l3 -6\"/><rect x=\"52\" y=\"97\" width=\"88\" height=\"24\" rx=\"3\"/><text x=\"96\" y=\"113\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">BatchNorm</text><path d=\"M96 25 C204 25 204 25 204 49 L204 116 C204 140 204 140 96 140 m-3 -2 l3 6 l3 -6\"/><path d=\"M96 121 L96 140 m-3 -2 l3 6 l3 -6\"/><rect x=\"76\" y=\"145\" width=\"40\" height=\"24\" rx=\"3\"/><text x=\"96\" y=\"161\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Sum</text><path d=\"M96 169 L96 188 m-3 -2 l3 6 l3 -6\"/><rect x=\"72\" y=\"193\" width=\"48\" height=\"24\" rx=\"3\"/><text x=\"96\" y=\"209\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Relu</text><path d=\"M96 217 L96 236 m-3 -2 l3 6 l3 -6\"/><rect x=\"12\" y=\"241\" width=\"168\" height=\"24\" rx=\"12\"/><text x=\"96\" y=\"257\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">output [16, 32, 32]</text></svg>\n</div>",
    doc = "",
    doc = "| layer | | reads |\n|---|---|---|\n| `conv2d_1` | `Conv2d(16, 3)` | `input` |\n| `batch_norm_1` | `BatchNorm` | `conv2d_1` |\n| `sum_1` | `Sum` | `input`, `batch_norm_1` |\n| `relu_1` | `Relu` | `sum_1` |\n\n`Block::summary()` tells what each gives, and its parameters, multiply-adds and bytes.\n"
)]
#[::core::prelude::v1::derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
)]
pub struct Block;
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
    const declared_input: [__nn::Shape; 1] = [__nn::Shape::of([16, 32, 32])];
    const declared_output: [__nn::Shape; 1] = [__nn::Shape::of([16, 32, 32])];
    const _: () = __nn::check_input("input", declared_input[0]);
    const __V0: __nn::TracedValue = __nn::TracedValue::input("input", declared_input[0]);
    type __T0 = Conv2d;
    type conv2d_1_call = <__T0 as __nn::Checked<
        {
            __nn::check_call(
                "conv2d_1",
                &__T0::__SIGNATURE,
                &__nn::Call {
                    positional: &["16", "3"],
                    named: &[],
                    reads: &["input"],
                    outputs: 1,
                    path: "Conv2d",
                    is_layer: __nn::IsLayer::<__T0, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const conv2d_1_rule: __nn::Rule = __nn::Answer(
            conv2d_1_call::new(16, 3).rule([__V0.shape()]),
        )
        .rule();
    const conv2d_1: () = __nn::check("conv2d_1", &conv2d_1_rule, &[&__V0], 1);
    static __F0: __nn::Site = __nn::site(&conv2d_1_rule, [__V0.shape()]);
    const __V1: __nn::TracedValue = __nn::TracedValue::after(
        &__V0,
        "conv2d_1",
        &conv2d_1_rule,
        0,
    );
    type __T1 = BatchNorm;
    type batch_norm_1_call = <__T1 as __nn::Checked<
        {
            __nn::check_call(
                "batch_norm_1",
                &__T1::__SIGNATURE,
                &__nn::Call {
                    positional: &[],
                    named: &[],
                    reads: &["…"],
                    outputs: 1,
                    path: "BatchNorm",
                    is_layer: __nn::IsLayer::<__T1, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const batch_norm_1_rule: __nn::Rule = __nn::Answer(
            batch_norm_1_call::new().rule([__V1.shape()]),
        )
        .rule();
    const batch_norm_1: () = __nn::check(
        "batch_norm_1",
        &batch_norm_1_rule,
        &[&__V1],
        1,
    );
    static __F1: __nn::Site = __nn::site(&batch_norm_1_rule, [__V1.shape()]);
    const __V2: __nn::TracedValue = __nn::TracedValue::after(
        &__V1,
        "batch_norm_1",
        &batch_norm_1_rule,
        0,
    );
    type __T2 = Sum;
    type sum_1_call = <__T2 as __nn::Checked<
        {
            __nn::check_call(
                "sum_1",
                &__T2::__SIGNATURE,
                &__nn::Call {
                    positional: &[],
                    named: &[],
                    reads: &["input", "y"],
                    outputs: 1,
                    path: "Sum",
                    is_layer: __nn::IsLayer::<__T2, 2, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const sum_1_rule: __nn::Rule = __nn::Answer(
            sum_1_call::new().rule([__V0.shape(), __V2.shape()]),
        )
        .rule();
    const sum_1: () = __nn::check("sum_1", &sum_1_rule, &[&__V0, &__V2], 1);
    static __F2: __nn::Site = __nn::site(&sum_1_rule, [__V0.shape(), __V2.shape()]);
    const __V3: __nn::TracedValue = __nn::TracedValue::after(
        &__V0,
        "sum_1",
        &sum_1_rule,
        0,
    );
    type __T3 = Relu;
    type relu_1_call = <__T3 as __nn::Checked<
        {
            __nn::check_call(
                "relu_1",
                &__T3::__SIGNATURE,
                &__nn::Call {
                    positional: &[],
                    named: &[],
                    reads: &["…"],
                    outputs: 1,
                    path: "Relu",
                    is_layer: __nn::IsLayer::<__T3, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const relu_1_rule: __nn::Rule = __nn::Answer(relu_1_call::new().rule([__V3.shape()]))
        .rule();
    const relu_1: () = __nn::check("relu_1", &relu_1_rule, &[&__V3], 1);
    static __F3: __nn::Site = __nn::site(&relu_1_rule, [__V3.shape()]);
    const __V4: __nn::TracedValue = __nn::TracedValue::after(
        &__V3,
        "relu_1",
        &relu_1_rule,
        0,
    );
    const _: () = __nn::check_output("output", &__V4, declared_output[0]);
    static __GRAPH: __nn::Graph<4, 5> = __nn::Graph::new(
        declared_input,
        [
            __nn::Node::new("conv2d_1", &__F0, [0], 1),
            __nn::Node::new("batch_norm_1", &__F1, [1], 2),
            __nn::Node::new("sum_1", &__F2, [0, 2], 3),
            __nn::Node::new("relu_1", &__F3, [3], 4),
        ],
        [4],
    );
    static __INFER: __nn::Plan<4> = __GRAPH.plan(__nn::Pass::Infer);
    static __TRAIN: __nn::Plan<4> = __GRAPH.plan(__nn::Pass::Train);
    static __ASKED: __nn::Plan<4> = __GRAPH.plan(__nn::Pass::TrainWithInputGrad);
    static __STREAM: __nn::Plan<4> = __GRAPH.stream();
    static __MAP: __nn::CompiledNetwork = __nn::CompiledNetwork::new(
        "Block",
        &__GRAPH,
        (&declared_input, &declared_output),
        [&["input"], &["output"]],
        [&__INFER, &__TRAIN, &__ASKED, &__STREAM],
    );
    static __TREE: __nn::NetworkTree = __nn::NetworkTree::new(
        &__MAP,
        &[(1, __T1::__NETWORK), (2, __T2::__NETWORK), (3, __T3::__NETWORK)],
    );
    #[inline]
    fn __l0() -> impl __nn::Layer<1, 1> {
        const { conv2d_1_call::new(16, 3) }
    }
    #[inline]
    fn __l1() -> impl __nn::Layer<1, 1> {
        const { batch_norm_1_call::new() }
    }
    #[inline]
    fn __l2() -> impl __nn::Layer<2, 1> {
        const { sum_1_call::new() }
    }
    #[inline]
    fn __l3() -> impl __nn::Layer<1, 1> {
        const { relu_1_call::new() }
    }
    #[cfg(rust_analyzer)]
    __nn::shown! {
        Block 1[__F0 __F1 __F2 __F3] 1 : conv2d_1_rule; 2 : batch_norm_1_rule; 3 :
        sum_1_rule; 4 : relu_1_rule;
    }
    impl __nn::Network for Block {
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
            pass.layer::<2, 1>(2, &__l2());
            pass.layer::<1, 1>(3, &__l3());
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
            pass.layer::<1, 1>(3, &__l3());
            pass.layer::<2, 1>(2, &__l2());
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
            pass.layer::<2, 1>(2, &__l2());
            pass.layer::<1, 1>(3, &__l3());
        }
    }
    fn __network() -> &'static __nn::CompiledNetwork {
        &__MAP
    }
    impl Block {
        #[doc(hidden)]
        pub const fn new() -> Self {
            Block
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
            "Block",
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
    impl __nn::Layer<1, 1> for Block {
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
