//! Straight above 0, bent or flat below: the family of ReLU. In: any shape; out: the same.

use nn_macros::activation;

activation! {
    /// `y = max(x, 0)`. Any shape. At 0 the slope is 0.
    ///
    /// No arguments, as PyTorch's `ReLU()` and Keras's `ReLU()`. The layer before it, if it is a product,
    /// does it on the way. Nair & Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines",
    /// 2010.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [3] -> [3] { Relu } }
    /// assert_eq!(Net::init(0).predictor(1).predict(&[-2.0, 0.0, 2.0]), &[0.0, 0.0, 2.0]);
    /// ```
    pub Relu(x) = max(x, 0.0)
}

activation! {
    /// `y = x` above 0, `y = slope · x` elsewhere. Any shape.
    ///
    /// | argument | here | PyTorch's `LeakyReLU` | Keras's `LeakyReLU` |
    /// |---|---|---|---|
    /// | `slope`, above 0 | `0.01` | `negative_slope=0.01` | `negative_slope=0.3` of the layer, 0.2 of `activation="leaky_relu"` |
    ///
    /// Maas, Hannun & Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [2] -> [2] { LeakyRelu(slope = 0.5) } }
    /// assert_eq!(Net::init(0).predictor(1).predict(&[-2.0, 2.0]), &[-1.0, 2.0]);
    /// ```
    pub LeakyRelu(
        x;
        /// The slope below 0.
        slope = 0.01
    )
    where slope > 0.0: "use `Relu` for a slope of 0, or a slope such as `slope = 0.01`"
    = if x > 0.0 { x } else { slope * x }
}

activation! {
    /// `y = x` above 0, `y = alpha · (exp(x) - 1)` elsewhere. Any shape.
    ///
    /// | argument | here | PyTorch's `ELU` | Keras's `ELU` |
    /// |---|---|---|---|
    /// | `alpha`, above 0 | `1.0` | `alpha=1.0` | `alpha=1.0` |
    ///
    /// The gradient below 0 is `y + alpha`: exactly 0 below -17, where `y` is rounded to `-alpha` and the
    /// slope is less than 5e-8 `alpha`. Clevert, Unterthiner & Hochreiter, "Fast and Accurate Deep Network
    /// Learning by Exponential Linear Units", 2016.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [2] -> [2] { Elu(alpha = 0.5) } }
    /// assert_eq!(Net::init(0).predictor(1).predict(&[-100.0, 2.0]), &[-0.5, 2.0]);
    /// ```
    pub Elu(
        x;
        /// How far below 0 it goes.
        alpha = 1.0
    )
    where alpha > 0.0: "use `Relu` for an alpha of 0, or an alpha such as `alpha = 1.0`"
    = if x > 0.0 { x } else { alpha * expm1(x) }
}

activation! {
    /// `y = scale · x` above 0, `y = scale · alpha · (exp(x) - 1)` elsewhere, with scale 1.0507… and alpha
    /// 1.6733…. Any shape.
    ///
    /// No arguments, as PyTorch's `SELU()` and Keras's `selu`. Mean 0 and deviation 1 pass through it
    /// unchanged, if weights are drawn from `LecunNormal`. At 0 the slope is scale · alpha; below -17 it is
    /// exactly 0, as of [`Elu`]. Klambauer et al.,
    /// "Self-Normalizing Neural Networks", 2017.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [2] -> [2] { Selu } }
    /// assert_eq!(Net::init(0).predictor(1).predict(&[-100.0, 1.0]), &[-1.7580993, 1.050701]);
    /// ```
    // Scale and depth of the fixed point of mean 0 and variance 1 under a normal distribution.
    pub Selu(x) = if x > 0.0 { 1.050_701 * x } else { 1.758_099_3 * expm1(x) }
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
    pub Softplus(
        x;
        /// How sharply it bends.
        beta = 1.0
    )
    where beta > 0.0
    = softplus(beta * x) / beta
}
