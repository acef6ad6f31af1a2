//! The functions of this room for one number, for code that may not use `std`.
//! Comes in: one `f32`; goes out: one `f32`, with the errors the vector functions state.
//! Never in a loop over data: sixteen lanes are computed and fifteen thrown away.

use crate::simd::{Kernel, Portable, Simd};

macro_rules! scalar {
    ($($(#[doc = $text:literal])+ $name:ident = $call:expr;)+) => {$(
        $(#[doc = $text])+
        pub fn $name(x: f32) -> f32 {
            struct One(f32);
            impl Kernel for One {
                type Out = f32;
                #[inline(always)]
                fn run<S: Simd>(self, s: S) -> f32 {
                    let call: fn(S, S::F) -> S::F = $call;
                    let mut y = [0.0];
                    s.store_part(call(s, s.splat(self.0)), &mut y);
                    y[0]
                }
            }
            One(x).run(Portable)
        }
    )+};
}

scalar! {
    /// e^x, as [`exp`](super::exp).
    exp = super::exp;
    /// e^x − 1, as [`expm1`](super::expm1).
    expm1 = super::expm1;
    /// The natural logarithm, as [`ln`](super::ln).
    ///
    /// ```
    /// # use nn_kernels::math::scalar;
    /// assert!((scalar::ln(10.0) - 2.302_585).abs() < 1e-6);
    /// ```
    ln = super::ln;
    /// ln(1 + x), as [`ln_1p`](super::ln_1p).
    ln_1p = super::ln_1p;
    /// The hyperbolic tangent, as [`tanh`](super::tanh).
    tanh = super::tanh;
    /// 1 / (1 + e^−x), as [`sigmoid`](super::sigmoid).
    sigmoid = super::sigmoid;
    /// ln(1 + e^x), as [`softplus`](super::softplus).
    softplus = super::softplus;
    /// The error function, as [`erf`](super::erf).
    erf = super::erf;
    /// The square root, correctly rounded; NaN below 0.
    sqrt = S::sqrt;
    /// The largest whole number not above x.
    floor = S::floor;
    /// The nearest whole number, ties to even.
    round = S::round;
}
