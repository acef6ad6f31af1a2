/// A gate.
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
            Swish { beta: 1.0 }
        }
        /// `beta`; `1.0` unless this is said.
        pub const fn beta(mut self, beta: ::core::primitive::f32) -> Self {
            self.beta = beta;
            self
        }
    }
    const __STEPS: &[__nn::FormulaStep] = &[
        __nn::FormulaStep::X,
        __nn::FormulaStep::Setting(0),
        __nn::FormulaStep::Binary("mul", 1, 0),
        __nn::FormulaStep::Unary("sigmoid", 2),
        __nn::FormulaStep::Binary("mul", 0, 3),
    ];
    impl Swish {
        /// `[…] -> […]`
        pub const fn rule(&self, [__x]: [__nn::Shape; 1]) -> __nn::Rule {
            __nn::LayerSpec::output(__x)
                .head(__nn::Head::Other)
                .elementwise(false)
                .backward_in_place()
                .backward_without_y()
                .in_place(Self::of_sample, [self.beta])
                .gradient_in_place(Self::gradient_of_samples)
                .formula(__STEPS, [self.beta])
                .ok()
        }
    }
    impl __nn::Curve for Swish {
        const FROM_OUTPUT: ::core::primitive::bool = false;
        #[inline(always)]
        fn value<S: __nn::Simd>(&self, __s: S, __x: S::F) -> S::F {
            let __v0 = __s.mul(__s.splat(self.beta), __x);
            let __v1 = __nn::math::sigmoid(__s, __v0);
            let __v2 = __s.mul(__x, __v1);
            __v2
        }
        #[inline(always)]
        fn backward<S: __nn::Simd>(&self, __s: S, __x: S::F, __dy: S::F) -> S::F {
            let __v0 = __s.mul(__s.splat(self.beta), __x);
            let (__v1, __v2) = __nn::math::sigmoids(__s, __v0);
            let __v3 = __s.mul(__v1, __v2);
            let __v4 = __s.mul(__s.splat(self.beta), __v3);
            let __v5 = __s.fma(__x, __v4, __v1);
            let __v6 = __s.mul(__v5, __dy);
            __v6
        }
    }
    __nn::curve_layer!(Swish { beta });
};
#[cfg(test)]
#[::core::prelude::v1::test]
#[allow(
    unnameable_test_items,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]
fn derivative_of_swish() {
    use ::nn_runtime::__private as __nn;
    let __formula = Swish::new();
    __nn::check_curve(
        "swish",
        &__formula,
        |__x: ::core::primitive::f64| {
            let __v0 = __nn::reference::wide(__formula.beta) * __x;
            let __v1 = __nn::reference::sigmoid(__v0);
            let __v2 = __x * __v1;
            __v2
        },
    );
}
