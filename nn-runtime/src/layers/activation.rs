//! The simple activations: functions of one number, in one table. In: any shape; out: the same. Each states its value and its
//! pullback side by side; the layer around them is the same for all, and may not know which it is.

use crate::facts::{Facts, Head, Rule};
use crate::fault::Fault;
use crate::kernels::elementwise::{Map, Zip};
use crate::kernels::math;
use crate::kernels::simd::Simd;
use crate::layer::{Cx, Layer};
use crate::shape::Shape;

/// A function of one number and its pullback, sixteen lanes at a time. Implementors mark both `#[inline(always)]`.
trait Curve {
    /// `y` from `x`; NaN from NaN.
    fn value<S: Simd>(&self, s: S, x: S::F) -> S::F;
    /// `dx` from `dy`, and from `y` or `x`, whichever the table says.
    fn pull<S: Simd>(&self, s: S, from: S::F, dy: S::F) -> S::F;
}

/// A curve as the kernels take it.
struct Of<'a, C>(&'a C);

impl<C: Curve> Map for Of<'_, C> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, x: S::F) -> S::F {
        self.0.value(s, x)
    }
}

impl<C: Curve> Zip for Of<'_, C> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, from: S::F, dy: S::F) -> S::F {
        self.0.pull(s, from, dy)
    }
}

/// What is wrong with a setting that must be above 0.
const fn positive(expected: &str, value: f32, help: &str) -> Option<Fault> {
    if value > 0.0 && value.is_finite() { None } else { Some(Fault::expected(expected).found_real(value).help(help)) }
}

/// The layer around a curve: its arguments with their defaults, what its pullback reads (`input`, `output`, or the `output` of a
/// `floor`, which products absorb for nothing), its head, and what an argument must not be.
macro_rules! activation {
    (
        $(#[doc = $doc:literal])*
        $name:ident { $($(#[doc = $about:literal])* $field:ident: $ty:ty = $default:expr)? }
        pulls from $from:ident, head $head:ident $(, where $this:ident: $fault:expr)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name {
            $($field: $ty,)?
        }

        #[allow(clippy::new_without_default, reason = "a layer is written in a declaration, never a default")]
        impl $name {
            /// The function, with its default where it has an argument.
            pub const fn new() -> Self {
                $name { $($field: $default)? }
            }

            $(
                $(#[doc = $about])*
                pub const fn $field(mut self, $field: $ty) -> Self {
                    self.$field = $field;
                    self
                }
            )?

            /// `[…] -> […]`
            pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
                $(
                    let $this = self;
                    if let Some(fault) = $fault {
                        return Rule::Err(fault);
                    }
                )?
                activation!(facts $from Facts::output(x).head(Head::$head)).ok()
            }
        }

        impl Layer for $name {
            fn forward(&self, cx: &mut Cx, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
                cx.isa.map(&Of(self), x, y);
            }

            fn apply(&self, cx: &mut Cx, y: &mut [f32]) {
                cx.isa.map_in_place(&Of(self), y);
            }

            fn pull_input(&self, cx: &mut Cx, x: [&[f32]; 1], y: [&[f32]; 1], [dy]: [&[f32]; 1], [dx]: [&mut [f32]; 1]) {
                if !dx.is_empty() {
                    let [from] = activation!(from $from x y);
                    cx.isa.zip(&Of(self), from, dy, dx);
                }
            }
        }
    };
    (facts floor $facts:expr) => { $facts.is_floor(0.0).pulls_without_x() };
    (facts output $facts:expr) => { $facts.is_act(true).pulls_without_x() };
    (facts input $facts:expr) => { $facts.is_act(false).pulls_without_y() };
    (from input $x:ident $y:ident) => {{ let _ = $y; $x }};
    (from $from:ident $x:ident $y:ident) => {{ let _ = $x; $y }};
}

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
    /// `y = x · Φ(x)`, with the distribution function Φ of the normal distribution. Any shape.
    ///
    /// | argument | here | PyTorch's `GELU` | Keras's `gelu` |
    /// |---|---|---|---|
    /// | `approximate`: `x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))` | `false` | `approximate="none"` (or `"tanh"`) | `approximate=False` |
    ///
    /// Hendrycks & Gimpel, "Gaussian Error Linear Units", 2016.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [2] -> [2] { Gelu } }
    /// let y = *Net::init(0).predictor(1).predict(&[-20.0, 1.0]);
    /// assert!(y[0] == 0.0 && (y[1] - 0.841345).abs() < 1e-6);
    /// ```
    Gelu {
        /// Whether to take the formula with tanh, with which some published weights were learnt.
        approximate: bool = false
    }
    pulls from input, head Other
}

impl Curve for Gelu {
    #[inline(always)]
    fn value<S: Simd>(&self, s: S, x: S::F) -> S::F {
        if self.approximate { math::gelu_tanh(s, x) } else { math::gelu(s, x) }
    }
    #[inline(always)]
    fn pull<S: Simd>(&self, s: S, x: S::F, dy: S::F) -> S::F {
        let slope = if self.approximate { math::gelu_tanh_slope(s, x) } else { math::gelu_slope(s, x) };
        s.mul(slope, dy)
    }
}

activation! {
    /// `y = x / (1 + exp(-x))`, also called swish. Any shape.
    ///
    /// No arguments, as PyTorch's `SiLU()` and Keras's `silu`. Hendrycks & Gimpel, "Gaussian Error Linear Units", 2016.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [2] -> [2] { Silu } }
    /// let y = *Net::init(0).predictor(1).predict(&[0.0, 1.0]);
    /// assert!(y[0] == 0.0 && (y[1] - 0.7310586).abs() < 1e-6);
    /// ```
    Silu {}
    pulls from input, head Other
}

impl Curve for Silu {
    #[inline(always)]
    fn value<S: Simd>(&self, s: S, x: S::F) -> S::F {
        s.mul(x, math::sigmoid(s, x))
    }
    #[inline(always)]
    fn pull<S: Simd>(&self, s: S, x: S::F, dy: S::F) -> S::F {
        // σ(x) · (1 + x · σ(-x)), with σ(-x) = 1 - σ(x) computed without the difference.
        let bend = s.fma(x, math::sigmoid(s, s.neg(x)), s.splat(1.0));
        s.mul(s.mul(math::sigmoid(s, x), bend), dy)
    }
}

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
