#[::core::prelude::v1::derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::cmp::PartialEq,
    ::core::fmt::Debug
)]
pub struct LogCosh {
    delta: ::core::primitive::f32,
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::nn_runtime::__private as __nn;
    impl LogCosh {
        #[doc(hidden)]
        pub const __SIGNATURE: __nn::Signature = __nn::Signature::foreign(
            "LogCosh",
            "a loss is given to the trainer: `Trainer::new(&mut model, LogCosh::new(), …)`",
        );
        /// The formula as it was declared.
        pub const fn new() -> Self {
            LogCosh { delta: 1.0 }
        }
        /// `delta`; `1.0` unless this is said.
        pub const fn delta(mut self, delta: ::core::primitive::f32) -> Self {
            self.delta = delta;
            self
        }
    }
    impl __nn::Formula for LogCosh {
        #[inline(always)]
        fn both<S: __nn::Simd>(&self, __s: S, __y: S::F, __t: S::F) -> (S::F, S::F) {
            let __v0 = __s.sub(__y, __t);
            let __v1 = __s.div(__v0, __s.splat(self.delta));
            let __v2 = __nn::math::ln_cosh(__s, __v1);
            let __v3 = __s.mul(__s.splat(self.delta), __v2);
            let __v4 = __nn::math::tanh(__s, __v1);
            (__v3, __v4)
        }
    }
    __nn::own_loss!(LogCosh);
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
fn derivative_of_log_cosh() {
    use ::nn_runtime::__private as __nn;
    let __formula = LogCosh::new();
    __nn::check_loss(
        "log_cosh",
        &__formula,
        |__y: ::core::primitive::f64, __t: ::core::primitive::f64| {
            let __v0 = __y - __t;
            let __v1 = __v0 / __nn::reference::wide(__formula.delta);
            let __v2 = __nn::reference::cosh(__v1);
            let __v3 = __nn::reference::ln(__v2);
            let __v4 = __nn::reference::wide(__formula.delta) * __v3;
            __v4
        },
    );
}
