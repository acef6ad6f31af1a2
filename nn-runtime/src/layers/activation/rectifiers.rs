//! Straight above 0, bent or flat below: the family of ReLU. In: any shape; out: the same.

use super::{Curve, Of, positive};
use crate::facts::{Facts, Head, Rule};
use crate::kernels::math;
use crate::kernels::simd::Simd;
use crate::layer::{Cx, Layer};
use crate::shape::Shape;

activation! {
    /// `y = max(x, 0)`. Any shape. At 0 the slope is 0.
    ///
    /// No arguments, as PyTorch's `ReLU()` and Keras's `ReLU()`. The layer before it, if it is a product, does it on the way.
    /// Nair & Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines", 2010.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [3] -> [3] { Relu } }
    /// assert_eq!(Net::init(0).predictor(1).predict(&[-2.0, 0.0, 2.0]), &[0.0, 0.0, 2.0]);
    /// ```
    Relu {}
    pulls from floor, head Other
}

impl Curve for Relu {
    #[inline(always)]
    fn value<S: Simd>(&self, s: S, x: S::F) -> S::F {
        // The limit stands first: where x is NaN, `max` gives the second.
        s.max(s.splat(0.0), x)
    }
    #[inline(always)]
    fn pull<S: Simd>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        s.select(s.le(y, s.splat(0.0)), s.splat(0.0), dy)
    }
}

activation! {
    /// `y = x` above 0, `y = slope · x` elsewhere. Any shape.
    ///
    /// | argument | here | PyTorch's `LeakyReLU` | Keras's `LeakyReLU` |
    /// |---|---|---|---|
    /// | `slope`, above 0 | `0.01` | `negative_slope=0.01` | `negative_slope=0.3` |
    ///
    /// Maas, Hannun & Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [2] -> [2] { LeakyRelu(slope = 0.5) } }
    /// assert_eq!(Net::init(0).predictor(1).predict(&[-2.0, 2.0]), &[-1.0, 2.0]);
    /// ```
    LeakyRelu {
        /// The slope below 0.
        slope: f32 = 0.01
    }
    pulls from output, head Other,
    where it: positive("a slope above 0", it.slope, "use `Relu` for a slope of 0, or a slope such as `slope = 0.01`")
}

impl Curve for LeakyRelu {
    #[inline(always)]
    fn value<S: Simd>(&self, s: S, x: S::F) -> S::F {
        s.select(s.gt(x, s.splat(0.0)), x, s.mul(s.splat(self.slope), x))
    }
    #[inline(always)]
    fn pull<S: Simd>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        // With a slope above 0 the output has the sign of the input.
        s.select(s.gt(y, s.splat(0.0)), dy, s.mul(s.splat(self.slope), dy))
    }
}

activation! {
    /// `y = x` above 0, `y = alpha · (exp(x) - 1)` elsewhere. Any shape.
    ///
    /// | argument | here | PyTorch's `ELU` | Keras's `ELU` |
    /// |---|---|---|---|
    /// | `alpha`, above 0 | `1.0` | `alpha=1.0` | `alpha=1.0` |
    ///
    /// Clevert, Unterthiner & Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear Units", 2016.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [2] -> [2] { Elu(alpha = 0.5) } }
    /// assert_eq!(Net::init(0).predictor(1).predict(&[-100.0, 2.0]), &[-0.5, 2.0]);
    /// ```
    Elu {
        /// How far below 0 it goes.
        alpha: f32 = 1.0
    }
    pulls from output, head Other,
    where it: positive("an alpha above 0", it.alpha, "use `Relu` for an alpha of 0, or an alpha such as `alpha = 1.0`")
}

impl Curve for Elu {
    #[inline(always)]
    fn value<S: Simd>(&self, s: S, x: S::F) -> S::F {
        s.select(s.gt(x, s.splat(0.0)), x, s.mul(s.splat(self.alpha), math::expm1(s, x)))
    }
    #[inline(always)]
    fn pull<S: Simd>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        // alpha · exp(x) = y + alpha
        s.select(s.gt(y, s.splat(0.0)), dy, s.mul(s.add(y, s.splat(self.alpha)), dy))
    }
}

activation! {
    /// `y = scale · x` above 0, `y = scale · alpha · (exp(x) - 1)` elsewhere, with scale 1.0507… and alpha 1.6733…. Any shape.
    ///
    /// No arguments, as PyTorch's `SELU()` and Keras's `selu`. Mean 0 and deviation 1 pass through it unchanged, if weights are
    /// drawn from `LecunNormal`. At 0 the slope is scale · alpha.
    /// Klambauer et al., "Self-Normalizing Neural Networks", 2017.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [2] -> [2] { Selu } }
    /// assert_eq!(Net::init(0).predictor(1).predict(&[-100.0, 1.0]), &[-1.7580993, 1.050701]);
    /// ```
    Selu {}
    pulls from output, head Other
}

/// The fixed point of mean 0 and variance 1 under a normal distribution.
const SELU_SCALE: f32 = 1.050_701;
const SELU_DEPTH: f32 = 1.758_099_3;

impl Curve for Selu {
    #[inline(always)]
    fn value<S: Simd>(&self, s: S, x: S::F) -> S::F {
        let below = s.mul(s.splat(SELU_DEPTH), math::expm1(s, x));
        s.select(s.gt(x, s.splat(0.0)), s.mul(s.splat(SELU_SCALE), x), below)
    }
    #[inline(always)]
    fn pull<S: Simd>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        // scale · alpha · exp(x) = y + scale · alpha
        let below = s.add(y, s.splat(SELU_DEPTH));
        s.mul(s.select(s.gt(y, s.splat(0.0)), s.splat(SELU_SCALE), below), dy)
    }
}

activation! {
    /// `y = ln(1 + exp(beta · x)) / beta`: a rectifier without a corner. Any shape.
    ///
    /// | argument | here | PyTorch's `Softplus` | Keras's `softplus` |
    /// |---|---|---|---|
    /// | `beta`, above 0 | `1.0` | `beta=1.0` | 1 |
    ///
    /// PyTorch's `threshold` is not needed: the formula used is exact for numbers of any size.
    /// Dugas et al., "Incorporating Second-Order Functional Knowledge for Better Option Pricing", 2000.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [2] -> [2] { Softplus } }
    /// let y = *Net::init(0).predictor(1).predict(&[0.0, 100.0]);
    /// assert!((y[0] - 2f32.ln()).abs() < 1e-6 && y[1] == 100.0);
    /// ```
    Softplus {
        /// How sharply it bends.
        beta: f32 = 1.0
    }
    pulls from input, head Other,
    where it: positive("a beta above 0", it.beta, "give one such as `beta = 1.0`")
}

impl Curve for Softplus {
    #[inline(always)]
    fn value<S: Simd>(&self, s: S, x: S::F) -> S::F {
        let beta = s.splat(self.beta);
        s.div(math::softplus(s, s.mul(beta, x)), beta)
    }
    #[inline(always)]
    fn pull<S: Simd>(&self, s: S, x: S::F, dy: S::F) -> S::F {
        s.mul(math::sigmoid(s, s.mul(s.splat(self.beta), x)), dy)
    }
}
