#[allow(unexpected_cfgs)]
const _: () = {
    #[cfg(rust_analyzer)]
    ::nn_runtime::__private::editor! {
        Net places { { start::a; } { let _ : layers::dense; } { start::e; } { let _ :
        layers::Dense; } { start::nothing; } } calls { { dense::new(10); } {
        Dense::new(2); } } shown { Net 0 dense 1 c 1 Dense 2 d 2 } inputs { a[16] b[4] }
        values { c 1 d 2 } labels {}
    }
};
::core::compile_error! {
    "expected a layer, found `dense`\nhelp: `Dense(10)`"
}
::core::compile_error! {
    "expected `;`, found `let`\nhelp: end the statement before it with `;`"
}
::core::compile_error! {
    "expected the name of a value, found `e`, which is none\nhelp: values known here: `a`, `b`, `c`"
}
/// Docs.
#[::core::prelude::v1::derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
)]
pub struct Net;
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
        __nn::Shape::of([16]),
        __nn::Shape::of([4]),
    ];
    const declared_output: [__nn::Shape; 2] = [
        __nn::Shape::of([10]),
        __nn::Shape::of([2]),
    ];
    static __MAP: __nn::CompiledNetwork = __nn::CompiledNetwork::stub(
        "Net",
        (&declared_input, &declared_output),
    );
    static __TREE: __nn::NetworkTree = __nn::NetworkTree::new(&__MAP, &[]);
    impl __nn::Network for Net {
        type Input<'a> = (
            &'a [f32; declared_input[0].len()],
            &'a [f32; declared_input[1].len()],
        );
        type Output<'a> = (
            &'a [f32; declared_output[0].len()],
            &'a [f32; declared_output[1].len()],
        );
        type Step<'a> = (
            &'a [f32; __nn::input_step(declared_input[0])],
            &'a [f32; __nn::input_step(declared_input[1])],
        );
        type StepOutput<'a> = (
            &'a [f32; __nn::output_step(declared_output[0], declared_input[0])],
            &'a [f32; __nn::output_step(declared_output[1], declared_input[0])],
        );
        type Head = (__nn::AnyHead, __nn::AnyHead);
        const COMPILED: &'static __nn::CompiledNetwork = &__MAP;
        fn forward_pass(
            _: &mut __nn::LayerContext<'_>,
            _: &[&[f32]],
            _: &mut [&mut [f32]],
        ) {}
        fn backward_input(
            _: &mut __nn::LayerContext<'_>,
            _: &[&[f32]],
            _: &[&[f32]],
            _: &[&[f32]],
            _: &mut [&mut [f32]],
        ) {}
        fn backward_params(
            _: &mut __nn::ReadContext<'_>,
            _: &[&[f32]],
            _: &[&[f32]],
            _: __nn::ParamGrad<'_>,
        ) {}
    }
    #[cfg(rust_analyzer)]
    __nn::shown! {
        Net 2
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
            "Net",
            2,
            &["c", "d"],
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
    impl __nn::Layer<2, 2> for Net {
        fn forward(
            &self,
            cx: &mut __nn::LayerContext<'_>,
            x: [&[f32]; 2],
            mut y: [&mut [f32]; 2],
        ) {
            <Self as __nn::Network>::forward_pass(cx, &x, &mut y)
        }
        fn backward_input(
            &self,
            cx: &mut __nn::LayerContext<'_>,
            x: [&[f32]; 2],
            y: [&[f32]; 2],
            dy: [&[f32]; 2],
            mut dx: [&mut [f32]; 2],
        ) {
            <Self as __nn::Network>::backward_input(cx, &x, &y, &dy, &mut dx)
        }
        fn backward_params(
            &self,
            cx: &mut __nn::ReadContext<'_>,
            x: [&[f32]; 2],
            dy: [&[f32]; 2],
            part: __nn::ParamGrad<'_>,
        ) {
            <Self as __nn::Network>::backward_params(cx, &x, &dy, part)
        }
    }
};
