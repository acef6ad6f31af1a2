#[::core::prelude::v1::derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug
)]
pub struct Elu {
    alpha: ::core::primitive::f32,
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::nn_runtime::__private as __nn;
    impl Elu {
        #[doc(hidden)]
        pub const __SIGNATURE: __nn::Signature = __nn::Signature::layer(
            "Elu",
            &[],
            &["alpha"],
        );
        /// The formula as it was declared.
        pub const fn new() -> Self {
            Elu { alpha: 1.0 }
        }
        /// How deep.
        pub const fn alpha(mut self, alpha: ::core::primitive::f32) -> Self {
            self.alpha = alpha;
            self
        }
    }
    const _: () = if Elu::new().alpha > 0.0 && Elu::new().alpha.is_finite() {} else {
        ::core::panic!(
            "{}", __nn::Fault::expected("an alpha above 0").found_real(Elu::new().alpha)
            .help("give it another default").as_str()
        )
    };
    const __STEPS: &[__nn::FormulaStep] = &[
        __nn::FormulaStep::X,
        __nn::FormulaStep::Number(0.0),
        __nn::FormulaStep::Binary("gt", 0, 1),
        __nn::FormulaStep::Setting(0),
        __nn::FormulaStep::Unary("expm1", 0),
        __nn::FormulaStep::Binary("mul", 3, 4),
        __nn::FormulaStep::Select(2, 0, 5),
    ];
    impl Elu {
        /// `[…] -> […]`
        pub const fn rule(&self, [__x]: [__nn::Shape; 1]) -> __nn::Rule {
            if self.alpha > 0.0 && self.alpha.is_finite()
                || self.alpha == Elu::new().alpha
            {} else {
                return __nn::Rule::Err(
                    __nn::Fault::expected("an alpha above 0")
                        .found_real(self.alpha)
                        .help("give one such as `alpha = 1.0`"),
                );
            }
            __nn::LayerSpec::output(__x)
                .head(__nn::Head::Other)
                .elementwise(true)
                .backward_in_place()
                .backward_without_x()
                .in_place(Self::of_sample, [self.alpha])
                .gradient_in_place(Self::gradient_of_samples)
                .formula(__STEPS, [self.alpha])
                .ok()
        }
    }
    impl __nn::Curve for Elu {
        const FROM_OUTPUT: ::core::primitive::bool = true;
        #[inline(always)]
        fn value<S: __nn::Simd>(&self, __s: S, __x: S::F) -> S::F {
            let __v0 = __s.gt(__x, __s.splat(0.0));
            let __v1 = __nn::math::expm1(__s, __x);
            let __v2 = __s.mul(__s.splat(self.alpha), __v1);
            let __v3 = __s.select(__v0, __x, __v2);
            __v3
        }
        #[inline(always)]
        fn backward<S: __nn::Simd>(&self, __s: S, __y: S::F, __dy: S::F) -> S::F {
            let __v0 = __s.gt(__y, __s.splat(0.0));
            let __v1 = __s.add(__s.splat(self.alpha), __y);
            let __v2 = __s.mul(__v1, __dy);
            let __v3 = __s.select(__v0, __dy, __v2);
            __v3
        }
    }
    __nn::curve_layer!(Elu { alpha });
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
fn derivative_of_elu() {
    use ::nn_runtime::__private as __nn;
    let __formula = Elu::new();
    __nn::check_curve(
        "elu",
        &__formula,
        |__x: ::core::primitive::f64| {
            let __v0 = __x > (0.0);
            let __v1 = __nn::reference::expm1(__x);
            let __v2 = __nn::reference::wide(__formula.alpha) * __v1;
            let __v3 = if __v0 { __x } else { __v2 };
            __v3
        },
    );
}
