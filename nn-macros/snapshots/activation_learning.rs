#[::core::prelude::v1::derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug
)]
pub struct Bent {
    alpha: ::core::primitive::f32,
    scale: ::core::primitive::f32,
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::nn_runtime::__private as __nn;
    const __C0: ::core::primitive::f32 = OFFSET;
    impl Bent {
        #[doc(hidden)]
        pub const __SIGNATURE: __nn::Signature = __nn::Signature::layer(
            "Bent",
            &[],
            &["alpha", "scale"],
        );
        /// The formula as it was declared.
        pub const fn new() -> Self {
            Bent { alpha: 0.25, scale: 2.0 }
        }
        /// What `alpha` begins with; `0.25` unless this is said.
        pub const fn alpha(mut self, alpha: ::core::primitive::f32) -> Self {
            self.alpha = alpha;
            self
        }
        /// `scale`; `2.0` unless this is said.
        pub const fn scale(mut self, scale: ::core::primitive::f32) -> Self {
            self.scale = scale;
            self
        }
    }
    const __STEPS: &[__nn::FormulaStep] = &[
        __nn::FormulaStep::Setting(0),
        __nn::FormulaStep::Learnt(0),
        __nn::FormulaStep::X,
        __nn::FormulaStep::Binary("mul", 1, 2),
        __nn::FormulaStep::Unary("tanh", 3),
        __nn::FormulaStep::Binary("mul", 0, 4),
        __nn::FormulaStep::Number(__C0),
        __nn::FormulaStep::Power(2, 2),
        __nn::FormulaStep::Binary("mul", 6, 7),
        __nn::FormulaStep::Binary("add", 5, 8),
    ];
    impl Bent {
        /// `[…] -> […]`
        pub const fn rule(&self, [__x]: [__nn::Shape; 1]) -> __nn::Rule {
            __nn::LayerSpec::output(__x)
                .param("alpha", __nn::Shape::of([1]), __nn::Init::Constant(self.alpha))
                .head(__nn::Head::Other)
                .saves(1)
                .per_step()
                .backward_without_y()
                .formula(__STEPS, [self.scale])
                .ok()
        }
    }
    impl __nn::Learning<1> for Bent {
        #[inline(always)]
        fn value<S: __nn::Simd>(&self, __s: S, [__p0]: [S::F; 1], __x: S::F) -> S::F {
            let __v0 = __s.mul(__p0, __x);
            let __v1 = __nn::math::tanh(__s, __v0);
            let __v2 = __s.mul(__s.splat(self.scale), __v1);
            let __v3 = __s.mul(__x, __x);
            let __v4 = __s.fma(__s.splat(__C0), __v3, __v2);
            __v4
        }
        #[inline(always)]
        fn backward<S: __nn::Simd>(
            &self,
            __s: S,
            [__p0,
            ]: [S::F; 1],
            __x: S::F,
            __dy: S::F,
        ) -> S::F {
            let __v0 = __s.mul(__p0, __x);
            let __v1 = __nn::math::tanh(__s, __v0);
            let __v2 = __s.sub(__s.splat(1.0), __v1);
            let __v3 = __s.add(__s.splat(1.0), __v1);
            let __v4 = __s.mul(__v2, __v3);
            let __v5 = __s.mul(__p0, __v4);
            let __v6 = __s.mul(__s.splat(self.scale), __v5);
            let __v7 = __s.mul(__s.splat(__C0), __x);
            let __v8 = __s.fma(__s.splat(2.0), __v7, __v6);
            let __v9 = __s.mul(__v8, __dy);
            __v9
        }
        #[inline(always)]
        fn backward_params<S: __nn::Simd>(
            &self,
            __s: S,
            [__p0,
            ]: [S::F; 1],
            __x: S::F,
            __dy: S::F,
        ) -> [S::F; 1] {
            let __v0 = __s.mul(__p0, __x);
            let __v1 = __nn::math::tanh(__s, __v0);
            let __v2 = __s.sub(__s.splat(1.0), __v1);
            let __v3 = __s.add(__s.splat(1.0), __v1);
            let __v4 = __s.mul(__v2, __v3);
            let __v5 = __s.mul(__x, __v4);
            let __v6 = __s.mul(__s.splat(self.scale), __v5);
            let __v7 = __s.mul(__v6, __dy);
            [__v7]
        }
    }
    __nn::learning_layer!(Bent, 1);
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
fn derivative_of_bent() {
    use ::nn_runtime::__private as __nn;
    let __formula = Bent::new();
    let __begin = [__formula.alpha];
    __nn::check_learning(
        "bent",
        &__formula,
        __begin,
        |[__p0], __x: ::core::primitive::f64| {
            let __v0 = __p0 * __x;
            let __v1 = __nn::reference::tanh(__v0);
            let __v2 = __nn::reference::wide(__formula.scale) * __v1;
            let __v3 = __nn::reference::powi(__x, 2);
            let __v4 = __nn::reference::wide(OFFSET) * __v3;
            let __v5 = __v2 + __v4;
            __v5
        },
    );
}
