//! A number times how far it is let through: the family of GELU. In: any shape; out: the same.

use nn_macros::activation;

use crate::formula::{Curve, curve_layer};
use crate::graph::Rule;
use crate::shape::Shape;
use crate::spec::{Head, LayerSpec, OnnxForm};
use nn_kernels::math;
use nn_kernels::simd::Simd;

activation! {
    /// `y = x / (1 + exp(-x))`, also called swish. Any shape.
    ///
    /// No arguments, as PyTorch's `SiLU()` and Keras's `silu`. Hendrycks & Gimpel, "Gaussian Error Linear
    /// Units", 2016.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [2] -> [2] { Silu } }
    /// let y = *Net::init(0).predictor(1).predict(&[0.0, 1.0]);
    /// assert!(y[0] == 0.0 && (y[1] - 0.7310586).abs() < 1e-6);
    /// ```
    pub Silu(x) = x * sigmoid(x)
}

activation! {
    /// `y = x · h(x)` with `h(x) = x / 6 + 1/2`, not below 0 and not above 1. Any shape. At -3 the slope is
    /// 0, at 3 it is 1. At -∞ it is 0, its limit, where PyTorch gives NaN.
    ///
    /// No arguments, as PyTorch's `Hardswish()` and Keras's `hard_silu`. Howard et al., "Searching for
    /// MobileNetV3", 2019.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [3] -> [3] { HardSwish } }
    /// assert_eq!(Net::init(0).predictor(1).predict(&[-4.0, 3.0, 4.0]), &[0.0, 3.0, 4.0]);
    /// ```
    // By choice and not by `clamp`, so that it is 0 at -∞ and not -∞ · 0.
    pub HardSwish(x) = if x <= -3.0 { 0.0 } else if x >= 3.0 { x } else { x * (x + 3.0) / 6.0 }
}

by_hand! {
    /// `y = x · tanh(ln(1 + exp(x)))`. Any shape. At -∞ it is 0, its limit, where PyTorch gives NaN.
    ///
    /// No arguments, as PyTorch's `Mish()` and Keras's `mish`. Misra, "Mish: A Self Regularized Non-Monotonic
    /// Activation Function", 2020.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [2] -> [2] { Mish } }
    /// let y = *Net::init(0).predictor(1).predict(&[0.0, 1.0]);
    /// assert!(y[0] == 0.0 && (y[1] - 0.8650984).abs() < 1e-6);
    /// ```
    Mish backward from input, head Other, onnx OnnxForm::Mish
}

/// With e = exp(x) and n = e · (e + 2): tanh(ln(1 + e)) = n / (n + 2). Gives x, e and n, of an x within ±20
/// or so, beyond which they change nothing and their squares would overflow; the lower limit is where e is 0.
#[inline(always)]
fn mish<S: Simd>(s: S, x: S::F) -> (S::F, S::F, S::F) {
    let x = s.min(s.splat(20.0), s.max(s.splat(-100.0), x));
    let e = math::exp(s, x);
    (x, e, s.mul(e, s.add(e, s.splat(2.0))))
}

impl Curve for Mish {
    const FROM_OUTPUT: bool = false;
    #[inline(always)]
    fn value<S: Simd>(&self, s: S, x: S::F) -> S::F {
        let (_, _, n) = mish(s, x);
        // The factor stops where the other is 0: -∞ · 0 would be NaN.
        s.mul(s.max(s.splat(-100.0), x), s.div(n, s.add(n, s.splat(2.0))))
    }
    #[inline(always)]
    fn backward<S: Simd>(&self, s: S, x: S::F, dy: S::F) -> S::F {
        // n / (n + 2) + 4 · x · e · (e + 1) / (n + 2)²
        let (x, e, n) = mish(s, x);
        let below = s.add(n, s.splat(2.0));
        let bend = s.mul(s.mul(s.splat(4.0), x), s.mul(e, s.add(e, s.splat(1.0))));
        s.mul(s.div(s.add(n, s.div(bend, below)), below), dy)
    }
}
