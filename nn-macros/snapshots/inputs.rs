#[allow(unexpected_cfgs)]
const _: () = {
    #[cfg(rust_analyzer)]
    ::nn_runtime::__private::editor! {
        TwoTower places { { start::image; } { let _ : layers::Flatten; } { let _ :
        layers::Dense; } { start::tags; } { let _ : layers::Dense; } { values::a; } {
        values::b; } { values::nothing; } { let _ : layers::Concat; } { let _ :
        layers::Dense; } { start::nothing; } } calls { { Dense::new(32); } {
        Dense::new(32); } { Dense::new(10); } } shown { TwoTower 0 Flatten 1 Dense 2 a 2
        Dense 3 b 3 Concat 4 Dense 5 } inputs { image[1, 28, 28] tags[16] } values { a 2
        b 3 } labels {}
    }
};
#[cfg_attr(
    doc,
    doc = "<div>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"336\" height=\"266\" viewBox=\"0 0 336 266\" style=\"max-width: 100%\" font-family=\"monospace\" font-size=\"13\" fill=\"none\" stroke=\"currentColor\"><rect x=\"12\" y=\"1\" width=\"152\" height=\"24\" rx=\"12\"/><text x=\"88\" y=\"17\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">image [1, 28, 28]</text><rect x=\"188\" y=\"1\" width=\"88\" height=\"24\" rx=\"12\"/><text x=\"232\" y=\"17\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">tags [16]</text><path d=\"M88 25 L88 44 m-3 -2 l3 6 l3 -6\"/><rect x=\"52\" y=\"49\" width=\"72\" height=\"24\" rx=\"3\"/><text x=\"88\" y=\"65\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Flatten</text><path d=\"M88 73 L144 92 m-3 -2 l3 6 l3 -6\"/><rect x=\"100\" y=\"97\" width=\"88\" height=\"24\" rx=\"3\"/><text x=\"144\" y=\"113\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Dense(32)</text><path d=\"M232 25 L192 44 m-3 -2 l3 6 l3 -6\"/><rect x=\"148\" y=\"49\" width=\"88\" height=\"24\" rx=\"3\"/><text x=\"192\" y=\"65\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Dense(32)</text><path d=\"M144 121 L144 140 m-3 -2 l3 6 l3 -6\"/><path d=\"M192 73 C300 73 300 73 300 97 L300 116 C300 140 300 140 144 140 m-3 -2 l3 6 l3 -6\"/><rect x=\"112\" y=\"145\" width=\"64\" height=\"24\" rx=\"3\"/><text x=\"144\" y=\"161\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Concat</text><path d=\"M144 169 L144 188 m-3 -2 l3 6 l3 -6\"/><rect x=\"100\" y=\"193\" width=\"88\" height=\"24\" rx=\"3\"/><text x=\"144\" y=\"209\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">Dense(10)</text><path d=\"M144 217 L144 236 m-3 -2 l3 6 l3 -6\"/><rect x=\"92\" y=\"241\" width=\"104\" height=\"24\" rx=\"12\"/><text x=\"144\" y=\"257\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">output [10]</text></svg>\n</div>",
    doc = "",
    doc = "| layer | | reads |\n|---|---|---|\n| `flatten_1` | `Flatten` | `image` |\n| `dense_1` | `Dense(32)` | `flatten_1` |\n| `dense_2` | `Dense(32)` | `tags` |\n| `concat_1` | `Concat` | `dense_1`, `dense_2` |\n| `dense_3` | `Dense(10)` | `concat_1` |\n\n`TwoTower::summary()` tells what each gives, and its parameters, multiply-adds and bytes.\n"
)]
#[::core::prelude::v1::derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
)]
pub(crate) struct TwoTower;
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
    const declared_input: [__nn::Shape; 2] = [
        __nn::Shape::of([1, 28, 28]),
        __nn::Shape::of([16]),
    ];
    const declared_output: [__nn::Shape; 1] = [__nn::Shape::of([10])];
    const _: () = __nn::check_input("image", declared_input[0]);
    const __V0: __nn::TracedValue = __nn::TracedValue::input("image", declared_input[0]);
    const _: () = __nn::check_input("tags", declared_input[1]);
    const __V1: __nn::TracedValue = __nn::TracedValue::input("tags", declared_input[1]);
    type __T0 = Flatten;
    type flatten_1_call = <__T0 as __nn::Checked<
        {
            __nn::check_call(
                "flatten_1",
                &__T0::__SIGNATURE,
                &__nn::Call {
                    positional: &[],
                    named: &[],
                    reads: &["image"],
                    outputs: 1,
                    path: "Flatten",
                    is_layer: __nn::IsLayer::<__T0, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const flatten_1_rule: __nn::Rule = __nn::Answer(
            flatten_1_call::new().rule([__V0.shape()]),
        )
        .rule();
    const flatten_1: () = __nn::check("flatten_1", &flatten_1_rule, &[&__V0], 1);
    static __F0: __nn::Site = __nn::site(&flatten_1_rule, [__V0.shape()]);
    const __V2: __nn::TracedValue = __nn::TracedValue::after(
        &__V0,
        "flatten_1",
        &flatten_1_rule,
        0,
    );
    type __T1 = Dense;
    type dense_1_call = <__T1 as __nn::Checked<
        {
            __nn::check_call(
                "dense_1",
                &__T1::__SIGNATURE,
                &__nn::Call {
                    positional: &["32"],
                    named: &[],
                    reads: &["…"],
                    outputs: 1,
                    path: "Dense",
                    is_layer: __nn::IsLayer::<__T1, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const dense_1_rule: __nn::Rule = __nn::Answer(
            dense_1_call::new(32).rule([__V2.shape()]),
        )
        .rule();
    const dense_1: () = __nn::check("dense_1", &dense_1_rule, &[&__V2], 1);
    static __F1: __nn::Site = __nn::site(&dense_1_rule, [__V2.shape()]);
    const __V3: __nn::TracedValue = __nn::TracedValue::after(
        &__V2,
        "dense_1",
        &dense_1_rule,
        0,
    );
    type __T2 = Dense;
    type dense_2_call = <__T2 as __nn::Checked<
        {
            __nn::check_call(
                "dense_2",
                &__T2::__SIGNATURE,
                &__nn::Call {
                    positional: &["32"],
                    named: &[],
                    reads: &["tags"],
                    outputs: 1,
                    path: "Dense",
                    is_layer: __nn::IsLayer::<__T2, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const dense_2_rule: __nn::Rule = __nn::Answer(
            dense_2_call::new(32).rule([__V1.shape()]),
        )
        .rule();
    const dense_2: () = __nn::check("dense_2", &dense_2_rule, &[&__V1], 1);
    static __F2: __nn::Site = __nn::site(&dense_2_rule, [__V1.shape()]);
    const __V4: __nn::TracedValue = __nn::TracedValue::after(
        &__V1,
        "dense_2",
        &dense_2_rule,
        0,
    );
    type __T3 = Concat;
    type concat_1_call = <__T3 as __nn::Checked<
        {
            __nn::check_call(
                "concat_1",
                &__T3::__SIGNATURE,
                &__nn::Call {
                    positional: &[],
                    named: &[],
                    reads: &["a", "b"],
                    outputs: 1,
                    path: "Concat",
                    is_layer: __nn::IsLayer::<__T3, 2, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const concat_1_rule: __nn::Rule = __nn::Answer(
            concat_1_call::new().rule([__V3.shape(), __V4.shape()]),
        )
        .rule();
    const concat_1: () = __nn::check("concat_1", &concat_1_rule, &[&__V3, &__V4], 1);
    static __F3: __nn::Site = __nn::site(&concat_1_rule, [__V3.shape(), __V4.shape()]);
    const __V5: __nn::TracedValue = __nn::TracedValue::after(
        &__V3,
        "concat_1",
        &concat_1_rule,
        0,
    );
    type __T4 = Dense;
    type dense_3_call = <__T4 as __nn::Checked<
        {
            __nn::check_call(
                "dense_3",
                &__T4::__SIGNATURE,
                &__nn::Call {
                    positional: &["10"],
                    named: &[],
                    reads: &["…"],
                    outputs: 1,
                    path: "Dense",
                    is_layer: __nn::IsLayer::<__T4, 1, 1>::__LAYER,
                },
            )
        },
    >>::Layer;
    const dense_3_rule: __nn::Rule = __nn::Answer(
            dense_3_call::new(10).rule([__V5.shape()]),
        )
        .rule();
    const dense_3: () = __nn::check("dense_3", &dense_3_rule, &[&__V5], 1);
    static __F4: __nn::Site = __nn::site(&dense_3_rule, [__V5.shape()]);
    const __V6: __nn::TracedValue = __nn::TracedValue::after(
        &__V5,
        "dense_3",
        &dense_3_rule,
        0,
    );
    const _: () = __nn::check_output("output", &__V6, declared_output[0]);
    static __GRAPH: __nn::Graph<5, 7> = __nn::Graph::new(
        declared_input,
        [
            __nn::Node::new("flatten_1", &__F0, [0], 2),
            __nn::Node::new("dense_1", &__F1, [2], 3),
            __nn::Node::new("dense_2", &__F2, [1], 4),
            __nn::Node::new("concat_1", &__F3, [3, 4], 5),
            __nn::Node::new("dense_3", &__F4, [5], 6),
        ],
        [6],
    );
    static __INFER: __nn::Plan<5> = __GRAPH.plan(__nn::Pass::Infer);
    static __TRAIN: __nn::Plan<5> = __GRAPH.plan(__nn::Pass::Train);
    static __ASKED: __nn::Plan<5> = __GRAPH.plan(__nn::Pass::TrainWithInputGrad);
    static __STREAM: __nn::Plan<5> = __GRAPH.stream();
    static __MAP: __nn::CompiledNetwork = __nn::CompiledNetwork::new(
        "TwoTower",
        &__GRAPH,
        (&declared_input, &declared_output),
        [&["image", "tags"], &["output"]],
        [&__INFER, &__TRAIN, &__ASKED, &__STREAM],
    );
    static __TREE: __nn::NetworkTree = __nn::NetworkTree::new(
        &__MAP,
        &[(0, __T0::__NETWORK), (3, __T3::__NETWORK)],
    );
    #[inline]
    fn __l0() -> impl __nn::Layer<1, 1> {
        const { flatten_1_call::new() }
    }
    #[inline]
    fn __l1() -> impl __nn::Layer<1, 1> {
        const { dense_1_call::new(32) }
    }
    #[inline]
    fn __l2() -> impl __nn::Layer<1, 1> {
        const { dense_2_call::new(32) }
    }
    #[inline]
    fn __l3() -> impl __nn::Layer<2, 1> {
        const { concat_1_call::new() }
    }
    #[inline]
    fn __l4() -> impl __nn::Layer<1, 1> {
        const { dense_3_call::new(10) }
    }
    #[cfg(rust_analyzer)]
    __nn::shown! {
        TwoTower 2[__F0 __F1 __F2 __F3 __F4] 1 : flatten_1_rule; 2 : dense_1_rule; 3 :
        dense_2_rule; 4 : concat_1_rule; 5 : dense_3_rule;
    }
    impl __nn::Network for TwoTower {
        type Input<'a> = (
            &'a [f32; declared_input[0].len()],
            &'a [f32; declared_input[1].len()],
        );
        type Output<'a> = &'a [f32; declared_output[0].len()];
        type Step<'a> = (
            &'a [f32; __nn::input_step(declared_input[0])],
            &'a [f32; __nn::input_step(declared_input[1])],
        );
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
            pass.layer::<2, 1>(3, &__l3());
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
            pass.layer::<2, 1>(3, &__l3());
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
            pass.layer::<2, 1>(3, &__l3());
            pass.layer::<1, 1>(4, &__l4());
        }
    }
    fn __network() -> &'static __nn::CompiledNetwork {
        &__MAP
    }
    impl TwoTower {
        #[doc(hidden)]
        pub const fn new() -> Self {
            TwoTower
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
            "TwoTower",
            2,
            &[""],
        );
        #[doc(hidden)]
        pub const __NETWORK: ::core::option::Option<&'static __nn::NetworkTree> = ::core::option::Option::Some(
            &__TREE,
        );
        #[cfg(not(rust_analyzer))]
        #[doc(hidden)]
        pub const fn rule(&self, x: [__nn::Shape; 2]) -> __nn::Rule {
            __MAP.rule(__network, x)
        }
    }
    impl __nn::Layer<2, 1> for TwoTower {
        fn forward(
            &self,
            cx: &mut __nn::LayerContext<'_>,
            x: [&[f32]; 2],
            mut y: [&mut [f32]; 1],
        ) {
            <Self as __nn::Network>::forward_pass(cx, &x, &mut y)
        }
        fn backward_input(
            &self,
            cx: &mut __nn::LayerContext<'_>,
            x: [&[f32]; 2],
            y: [&[f32]; 1],
            dy: [&[f32]; 1],
            mut dx: [&mut [f32]; 2],
        ) {
            <Self as __nn::Network>::backward_input(cx, &x, &y, &dy, &mut dx)
        }
        fn backward_params(
            &self,
            cx: &mut __nn::ReadContext<'_>,
            x: [&[f32]; 2],
            dy: [&[f32]; 1],
            part: __nn::ParamGrad<'_>,
        ) {
            <Self as __nn::Network>::backward_params(cx, &x, &dy, part)
        }
    }
};
