//! Any number into a bounded range: the family of the sigmoid. In: any shape; out: the same.

use nn_macros::activation;

use crate::formula::{Curve, curve_layer};
use crate::graph::Rule;
use crate::shape::Shape;
use crate::spec::{Head, LayerSpec, OnnxForm};
use nn_kernels::math;
use nn_kernels::simd::Simd;

by_hand! {
    /// `y = 1 / (1 + exp(-x))`: each number a probability of its own. Any shape.
    ///
    /// No arguments, as PyTorch's `Sigmoid()` and Keras's `sigmoid`. Before
    /// [`BinaryCrossEntropy`](crate::losses::BinaryCrossEntropy) the two are computed as one.
    ///
    /// The gradient is `y · (1 - y)`, as PyTorch's: exactly 0 above 17, where `y` is rounded to 1 and the
    /// slope is less than 4e-8.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [2] -> [2] { Sigmoid } }
    /// assert_eq!(Net::init(0).predictor(1).predict(&[0.0, 100.0]), &[0.5, 1.0]);
    /// ```
    Sigmoid backward from output, head Sigmoid, onnx OnnxForm::Operator("Sigmoid")
}

impl Curve for Sigmoid {
    const FROM_OUTPUT: bool = true;
    #[inline(always)]
    fn value<S: Simd>(&self, s: S, x: S::F) -> S::F {
        math::sigmoid(s, x)
    }
    #[inline(always)]
    fn backward<S: Simd>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        s.mul(s.mul(y, s.sub(s.splat(1.0), y)), dy)
    }
}

activation! {
    /// `y = x / 6 + 1/2`, not below 0 and not above 1: a sigmoid of straight lines. Any shape. At both
    /// corners the slope is 0.
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
    pub HardSigmoid(x) = if x <= -3.0 { 0.0 } else if x >= 3.0 { 1.0 } else { x / 6.0 + 0.5 }
}

activation! {
    /// `y = tanh(x)`. Any shape.
    ///
    /// No arguments, as PyTorch's `Tanh()` and Keras's `tanh`. The gradient is `1 - y²`, as PyTorch's:
    /// exactly 0 beyond ±9, where `y` is rounded to ±1 and the slope is less than 7e-8.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [2] -> [2] { Tanh } }
    /// assert_eq!(Net::init(0).predictor(1).predict(&[0.0, -100.0]), &[0.0, -1.0]);
    /// ```
    pub Tanh(x) = tanh(x)
}
