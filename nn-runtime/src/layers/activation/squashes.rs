//! Any number into a bounded range: the family of the sigmoid. In: any shape; out: the same.

use super::{Curve, Of};
use crate::facts::{Facts, Head, Rule};
use crate::kernels::math;
use crate::kernels::simd::Simd;
use crate::layer::{Cx, Layer};
use crate::shape::Shape;

activation! {
    /// `y = 1 / (1 + exp(-x))`: each number a probability of its own. Any shape.
    ///
    /// No arguments, as PyTorch's `Sigmoid()` and Keras's `sigmoid`. Before
    /// [`BinaryCrossEntropy`](crate::losses::BinaryCrossEntropy) the two are computed as one.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [2] -> [2] { Sigmoid } }
    /// assert_eq!(Net::init(0).predictor(1).predict(&[0.0, 100.0]), &[0.5, 1.0]);
    /// ```
    Sigmoid {}
    pulls from output, head Sigmoid
}

impl Curve for Sigmoid {
    #[inline(always)]
    fn value<S: Simd>(&self, s: S, x: S::F) -> S::F {
        math::sigmoid(s, x)
    }
    #[inline(always)]
    fn pull<S: Simd>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        s.mul(s.mul(y, s.sub(s.splat(1.0), y)), dy)
    }
}

activation! {
    /// `y = x / 6 + 1/2`, not below 0 and not above 1: a sigmoid of straight lines. Any shape. At both corners the slope is 0.
    ///
    /// No arguments, as PyTorch's `Hardsigmoid()` and Keras's `hard_sigmoid`; Keras 2 had `0.2 · x + 0.5`.
    /// Howard et al., "Searching for MobileNetV3", 2019.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [3] -> [3] { HardSigmoid } }
    /// assert_eq!(Net::init(0).predictor(1).predict(&[-4.0, 0.0, 3.0]), &[0.0, 0.5, 1.0]);
    /// ```
    HardSigmoid {}
    pulls from input, head Other
}

/// min(max(x + 3, 0), 6) / 6. The limits stand first: where x is NaN, `min` and `max` give the second.
#[inline(always)]
pub(super) fn hard_sigmoid<S: Simd>(s: S, x: S::F) -> S::F {
    let x = s.max(s.splat(0.0), s.add(x, s.splat(3.0)));
    s.mul(s.min(s.splat(6.0), x), s.splat(1.0 / 6.0))
}

impl Curve for HardSigmoid {
    #[inline(always)]
    fn value<S: Simd>(&self, s: S, x: S::F) -> S::F {
        hard_sigmoid(s, x)
    }
    #[inline(always)]
    fn pull<S: Simd>(&self, s: S, x: S::F, dy: S::F) -> S::F {
        // Not from y, which rounds to 1 before x is 3.
        let out = s.ge(s.abs(x), s.splat(3.0));
        s.select(out, s.splat(0.0), s.mul(s.splat(1.0 / 6.0), dy))
    }
}

activation! {
    /// `y = tanh(x)`. Any shape.
    ///
    /// No arguments, as PyTorch's `Tanh()` and Keras's `tanh`.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [2] -> [2] { Tanh } }
    /// assert_eq!(Net::init(0).predictor(1).predict(&[0.0, -100.0]), &[0.0, -1.0]);
    /// ```
    Tanh {}
    pulls from output, head Other
}

impl Curve for Tanh {
    #[inline(always)]
    fn value<S: Simd>(&self, s: S, x: S::F) -> S::F {
        math::tanh(s, x)
    }
    #[inline(always)]
    fn pull<S: Simd>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        let one = s.splat(1.0);
        s.mul(s.mul(s.sub(one, y), s.add(one, y)), dy)
    }
}
