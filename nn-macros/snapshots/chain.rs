#[allow(unexpected_cfgs)]
const _: () = {
    #[cfg(rust_analyzer)]
    ::nn_runtime::__private::editor! {
        Cnn places { { start::Conv2d; } { let _ : layers::Relu; } { layers::MaxPool2d; }
        { start::Flatten; } { let _ : layers::Dense; } { start::Dense; } {
        start::nothing; } } calls { { Conv2d::new(32, 3).stride(2).padding(Same); } {
        layers::MaxPool2d::new(2); } { Dense::new(64); } { Dense::new(10); } } shown {
        Cnn 0 Conv2d 1 Relu 2 MaxPool2d 3 Flatten 4 Dense 5 Dense 6 } inputs { input[1,
        SIDE, SIDE] } values {} labels {}
    }
};
/// The convolutional digit classifier.
#[allow(dead_code)]
#[cfg_attr(
    doc,
    doc = "<div>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"368\" height=\"362\" viewBox=\"0 0 368 362\" style=\"max-width: 100%\" font-family=\"monospace\" font-size=\"13\" fill=\"none\" stroke=\"currentColor\"><rect x=\"92\" y=\"1\" width=\"184\" height=\"24\" rx=\"12\"/><text x=\"184\" y=\"17\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">input [1, SIDE, SIDE]</text><path d=\"M184 25 L184 44 m-3 -2 l3 6 l3 -6\"/><rect x=\"12\" y=\"49\" width=\"344\" height=\"24\" rx=\"3\"/><text x=\"184\" y=\"65\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Conv2d(32, 3, stride = 2, padding = Same)</text><path d=\"M184 73 L184 92 m-3 -2 l3 6 l3 -6\"/><rect x=\"160\" y=\"97\" width=\"48\" height=\"24\" rx=\"3\"/><text x=\"184\" y=\"113\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Relu</text><path d=\"M184 121 L184 140 m-3 -2 l3 6 l3 -6\"/><rect x=\"96\" y=\"145\" width=\"176\" height=\"24\" rx=\"3\"/><text x=\"184\" y=\"161\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">layers::MaxPool2d(2)</text><path d=\"M184 169 L184 188 m-3 -2 l3 6 l3 -6\"/><rect x=\"148\" y=\"193\" width=\"72\" height=\"24\" rx=\"3\"/><text x=\"184\" y=\"209\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Flatten</text><path d=\"M184 217 L184 236 m-3 -2 l3 6 l3 -6\"/><rect x=\"140\" y=\"241\" width=\"88\" height=\"24\" rx=\"3\"/><text x=\"184\" y=\"257\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Dense(64)</text><path d=\"M184 265 L184 284 m-3 -2 l3 6 l3 -6\"/><rect x=\"140\" y=\"289\" width=\"88\" height=\"24\" rx=\"3\"/><text x=\"184\" y=\"305\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Dense(10)</text><path d=\"M184 313 L184 332 m-3 -2 l3 6 l3 -6\"/><rect x=\"132\" y=\"337\" width=\"104\" height=\"24\" rx=\"12\"/><text x=\"184\" y=\"353\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">output [10]</text></svg>\n</div>",
    doc = "",
    doc = "| layer | | reads |\n|---|---|---|\n| `conv2d_1` | `Conv2d(32, 3, stride = 2, padding = Same)` | `input` |\n| `relu_1` | `Relu` | `conv2d_1` |\n| `max_pool2d_1` | `layers::MaxPool2d(2)` | `relu_1` |\n| `flatten_1` | `Flatten` | `max_pool2d_1` |\n| `dense_1` | `Dense(64)` | `flatten_1` |\n| `dense_2` | `Dense(10)` | `dense_1` |\n\n`Cnn::summary()` tells what each gives, and its parameters, multiply-adds and bytes.\n"
)]
#[::core::prelude::v1::derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
)]
pub struct Cnn;
#[allow(dead_code)]
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
    const declared_input: [__nn::Shape; 1] = [__nn::Shape::of([1, SIDE, SIDE])];
    const declared_output: [__nn::Shape; 1] = [__nn::Shape::of([10])];
    const _: () = __nn::check_input("input", declared_input[0]);
    const __V0: __nn::TracedValue = __nn::TracedValue::input("input", declared_input[0]);
    type __T0 = Conv2d;
    type conv2d_1_call = <__T0 as __nn::Checked<
        {
            __nn::check_call(
                "conv2d_1",
                &__T0::__SIGNATURE,
                &__nn::Call {
                    positional: &["32", "3"],
                    named: &[("stride", "2"), ("padding", "Same")],
                    reads: &["input"],
                    outputs: 1,
                    path: "Conv2d",
                    is_layer: __nn::IsLayer::<__T0, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const conv2d_1_rule: __nn::Rule = __nn::Answer(
            conv2d_1_call::new(32, 3).stride(2).padding(Same).rule([__V0.shape()]),
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
    type __T2 = layers::MaxPool2d;
    type max_pool2d_1_call = <__T2 as __nn::Checked<
        {
            __nn::check_call(
                "max_pool2d_1",
                &__T2::__SIGNATURE,
                &__nn::Call {
                    positional: &["2"],
                    named: &[],
                    reads: &["…"],
                    outputs: 1,
                    path: "layers::MaxPool2d",
                    is_layer: __nn::IsLayer::<__T2, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const max_pool2d_1_rule: __nn::Rule = __nn::Answer(
            max_pool2d_1_call::new(2).rule([__V2.shape()]),
        )
        .rule();
    const max_pool2d_1: () = __nn::check(
        "max_pool2d_1",
        &max_pool2d_1_rule,
        &[&__V2],
        1,
    );
    static __F2: __nn::Site = __nn::site(&max_pool2d_1_rule, [__V2.shape()]);
    const __V3: __nn::TracedValue = __nn::TracedValue::after(
        &__V2,
        "max_pool2d_1",
        &max_pool2d_1_rule,
        0,
    );
    type __T3 = Flatten;
    type flatten_1_call = <__T3 as __nn::Checked<
        {
            __nn::check_call(
                "flatten_1",
                &__T3::__SIGNATURE,
                &__nn::Call {
                    positional: &[],
                    named: &[],
                    reads: &["…"],
                    outputs: 1,
                    path: "Flatten",
                    is_layer: __nn::IsLayer::<__T3, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const flatten_1_rule: __nn::Rule = __nn::Answer(
            flatten_1_call::new().rule([__V3.shape()]),
        )
        .rule();
    const flatten_1: () = __nn::check("flatten_1", &flatten_1_rule, &[&__V3], 1);
    static __F3: __nn::Site = __nn::site(&flatten_1_rule, [__V3.shape()]);
    const __V4: __nn::TracedValue = __nn::TracedValue::after(
        &__V3,
        "flatten_1",
        &flatten_1_rule,
        0,
    );
    type __T4 = Dense;
    type dense_1_call = <__T4 as __nn::Checked<
        {
            __nn::check_call(
                "dense_1",
                &__T4::__SIGNATURE,
                &__nn::Call {
                    positional: &["64"],
                    named: &[],
                    reads: &["…"],
                    outputs: 1,
                    path: "Dense",
                    is_layer: __nn::IsLayer::<__T4, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const dense_1_rule: __nn::Rule = __nn::Answer(
            dense_1_call::new(64).rule([__V4.shape()]),
        )
        .rule();
    const dense_1: () = __nn::check("dense_1", &dense_1_rule, &[&__V4], 1);
    static __F4: __nn::Site = __nn::site(&dense_1_rule, [__V4.shape()]);
    const __V5: __nn::TracedValue = __nn::TracedValue::after(
        &__V4,
        "dense_1",
        &dense_1_rule,
        0,
    );
    type __T5 = Dense;
    type dense_2_call = <__T5 as __nn::Checked<
        {
            __nn::check_call(
                "dense_2",
                &__T5::__SIGNATURE,
                &__nn::Call {
                    positional: &["10"],
                    named: &[],
                    reads: &["…"],
                    outputs: 1,
                    path: "Dense",
                    is_layer: __nn::IsLayer::<__T5, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const dense_2_rule: __nn::Rule = __nn::Answer(
            dense_2_call::new(10).rule([__V5.shape()]),
        )
        .rule();
    const dense_2: () = __nn::check("dense_2", &dense_2_rule, &[&__V5], 1);
    static __F5: __nn::Site = __nn::site(&dense_2_rule, [__V5.shape()]);
    const __V6: __nn::TracedValue = __nn::TracedValue::after(
        &__V5,
        "dense_2",
        &dense_2_rule,
        0,
    );
    const _: () = __nn::check_output("output", &__V6, declared_output[0]);
    static __GRAPH: __nn::Graph<6, 7> = __nn::Graph::new(
        declared_input,
        [
            __nn::Node::new("conv2d_1", &__F0, [0], 1),
            __nn::Node::new("relu_1", &__F1, [1], 2),
            __nn::Node::new("max_pool2d_1", &__F2, [2], 3),
            __nn::Node::new("flatten_1", &__F3, [3], 4),
            __nn::Node::new("dense_1", &__F4, [4], 5),
            __nn::Node::new("dense_2", &__F5, [5], 6),
        ],
        [6],
    );
    static __INFER: __nn::Plan<6> = __GRAPH.plan(__nn::Pass::Infer);
    static __TRAIN: __nn::Plan<6> = __GRAPH.plan(__nn::Pass::Train);
    static __ASKED: __nn::Plan<6> = __GRAPH.plan(__nn::Pass::TrainWithInputGrad);
    static __STREAM: __nn::Plan<6> = __GRAPH.stream();
    static __MAP: __nn::CompiledNetwork = __nn::CompiledNetwork::new(
        "Cnn",
        &__GRAPH,
        (&declared_input, &declared_output),
        [&["input"], &["output"]],
        [&__INFER, &__TRAIN, &__ASKED, &__STREAM],
    );
    static __TREE: __nn::NetworkTree = __nn::NetworkTree::new(
        &__MAP,
        &[(1, __T1::__NETWORK), (3, __T3::__NETWORK)],
    );
    #[inline]
    fn __l0() -> impl __nn::Layer<1, 1> {
        const { conv2d_1_call::new(32, 3).stride(2).padding(Same) }
    }
    #[inline]
    fn __l1() -> impl __nn::Layer<1, 1> {
        const { relu_1_call::new() }
    }
    #[inline]
    fn __l2() -> impl __nn::Layer<1, 1> {
        const { max_pool2d_1_call::new(2) }
    }
    #[inline]
    fn __l3() -> impl __nn::Layer<1, 1> {
        const { flatten_1_call::new() }
    }
    #[inline]
    fn __l4() -> impl __nn::Layer<1, 1> {
        const { dense_1_call::new(64) }
    }
    #[inline]
    fn __l5() -> impl __nn::Layer<1, 1> {
        const { dense_2_call::new(10) }
    }
    #[cfg(rust_analyzer)]
    __nn::shown! {
        Cnn 1[__F0 __F1 __F2 __F3 __F4 __F5] 1 : conv2d_1_rule; 2 : relu_1_rule; 3 :
        max_pool2d_1_rule; 4 : flatten_1_rule; 5 : dense_1_rule; 6 : dense_2_rule;
    }
    impl __nn::Network for Cnn {
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
            pass.layer::<1, 1>(5, &__l5());
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
            pass.layer::<1, 1>(5, &__l5());
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
            pass.layer::<1, 1>(5, &__l5());
        }
    }
    fn __network() -> &'static __nn::CompiledNetwork {
        &__MAP
    }
    impl Cnn {
        #[doc(hidden)]
        pub const fn new() -> Self {
            Cnn
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
            "Cnn",
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
    impl __nn::Layer<1, 1> for Cnn {
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
