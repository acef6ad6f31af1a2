#[::core::prelude::v1::derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug
)]
struct Relu;
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::nn_runtime::__private as __nn;
    impl Relu {
        #[doc(hidden)]
        pub const __SIGNATURE: __nn::Signature = __nn::Signature::layer(
            "Relu",
            &[],
            &[],
        );
        /// The formula as it was declared.
        pub const fn new() -> Self {
            Relu {}
        }
    }
    const __STEPS: &[__nn::FormulaStep] = &[
        __nn::FormulaStep::Number(0.0),
        __nn::FormulaStep::X,
        __nn::FormulaStep::Binary("max", 0, 1),
    ];
    impl Relu {
        /// `[…] -> […]`
        pub const fn rule(&self, [__x]: [__nn::Shape; 1]) -> __nn::Rule {
            __nn::floor(__nn::LayerSpec::output(__x).head(__nn::Head::Other), 0.0)
                .backward_without_x()
                .in_place(Self::of_sample, [])
                .gradient_in_place(Self::gradient_of_samples)
                .formula(__STEPS, [])
                .ok()
        }
    }
    impl __nn::Curve for Relu {
        const FROM_OUTPUT: ::core::primitive::bool = true;
        #[inline(always)]
        fn value<S: __nn::Simd>(&self, __s: S, __x: S::F) -> S::F {
            let __v0 = __s.max(__s.splat(0.0), __x);
            __v0
        }
        #[inline(always)]
        fn backward<S: __nn::Simd>(&self, __s: S, __y: S::F, __dy: S::F) -> S::F {
            let __v0 = __s.le(__y, __s.splat(0.0));
            let __v1 = __s.select(__v0, __s.splat(0.0), __dy);
            __v1
        }
    }
    __nn::curve_layer!(Relu {});
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
fn derivative_of_relu() {
    use ::nn_runtime::__private as __nn;
    let __formula = Relu::new();
    __nn::check_curve(
        "relu",
        &__formula,
        |__x: ::core::primitive::f64| {
            let __v0 = __nn::reference::max(__x, (0.0));
            __v0
        },
    );
}
