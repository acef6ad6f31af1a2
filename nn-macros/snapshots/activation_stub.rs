::core::compile_error! {
    "expected a function with a known derivative, found `sigmod`\nhelp: did you mean `sigmoid`? there are abs, clamp, cos, cosh, erf, exp, expm1, exp_m1, ln, ln_1p, max, min, powf, powi, recip, relu, sigmoid, sin, sinh, softplus, sqrt, square, tanh; any other function is written out"
}
#[::core::prelude::v1::derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug
)]
pub struct Swish {
    beta: ::core::primitive::f32,
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::nn_runtime::__private as __nn;
    impl Swish {
        #[doc(hidden)]
        pub const __SIGNATURE: __nn::Signature = __nn::Signature::layer(
            "Swish",
            &[],
            &["beta"],
        );
        /// The formula as it was declared.
        pub const fn new() -> Self {
            Swish { beta: 0.0 }
        }
        /// `beta`; `0.0` unless this is said.
        pub const fn beta(mut self, beta: ::core::primitive::f32) -> Self {
            self.beta = beta;
            self
        }
    }
    const __STEPS: &[__nn::FormulaStep] = &[__nn::FormulaStep::X];
    impl Swish {
        /// `[…] -> […]`
        pub const fn rule(&self, [__x]: [__nn::Shape; 1]) -> __nn::Rule {
            __nn::LayerSpec::output(__x)
                .head(__nn::Head::Other)
                .elementwise(true)
                .backward_in_place()
                .backward_without_x()
                .in_place(Self::of_sample, [self.beta])
                .gradient_in_place(Self::gradient_of_samples)
                .formula(__STEPS, [self.beta])
                .ok()
        }
    }
    impl __nn::Curve for Swish {
        const FROM_OUTPUT: ::core::primitive::bool = true;
        #[inline(always)]
        fn value<S: __nn::Simd>(&self, __s: S, __x: S::F) -> S::F {
            __x
        }
        #[inline(always)]
        fn backward<S: __nn::Simd>(&self, __s: S, __y: S::F, __dy: S::F) -> S::F {
            __dy
        }
    }
    __nn::curve_layer!(Swish { beta });
};
