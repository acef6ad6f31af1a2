//! `LocalResponseNorm`: every number divided by what its neighbouring channels come to. In: `[channels, …]`,
//! `[steps, features]`; out: the same. Nothing is learnt.

use super::{Normalization, axis};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm};
use nn_kernels::elementwise::Map;
use nn_kernels::math::powf;
use nn_kernels::simd::Simd;

/// Local response normalisation: `y[c] = x[c] / (k + alpha · Σ x[j]² / size)^beta`, over the `size`
/// channels `j` from `c - size / 2` to `c + (size - 1) / 2`, both rounded down, of which those that there
/// are not are 0; `[channels, height, width] -> [channels, height, width]`, and so with any further
/// dimensions. Of `[steps, features]` the features are the channels.
///
/// | argument | here | PyTorch's `LocalResponseNorm` | TensorFlow's `tf.nn.lrn` |
/// |---|---|---|---|
/// | `size` | must be given | `size` | `2 * depth_radius + 1` |
/// | `alpha`, at least 0 | `1e-4` | `alpha=1e-4` | `alpha=1`, not divided by the size |
/// | `beta` | `0.75` | `beta=0.75` | `beta=0.5` |
/// | `k`, above 0 | `1` | `k=1.0` | `bias=1` |
///
/// Keras has no such layer. Krizhevsky, Sutskever & Hinton, "ImageNet Classification with Deep Convolutional
/// Neural Networks", 2012, whose alpha is not divided by the size.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Rivals: [3, 1, 1] -> [3, 1, 1] { LocalResponseNorm(3, alpha = 3.0, beta = 1.0) }
/// }
/// let y = *Rivals::init(0).predictor(1).predict(&[1.0, 2.0, 3.0]);
/// let truth = [1.0 / 6.0, 2.0 / 15.0, 3.0 / 14.0];
/// assert!(y.iter().zip(truth).all(|(y, truth)| (y - truth).abs() < 1e-6));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LocalResponseNorm {
    size: usize,
    alpha: f32,
    beta: f32,
    k: f32,
}

/// A sample as rows of `[channels, after]`.
#[derive(Clone, Copy)]
struct ChannelRows {
    channels: usize,
    after: usize,
}

impl LocalResponseNorm {
    /// Over so many neighbouring channels.
    pub const fn new(size: usize) -> Self {
        LocalResponseNorm { size, alpha: 1e-4, beta: 0.75, k: 1.0 }
    }

    /// What the mean of the squares is multiplied by.
    pub const fn alpha(mut self, alpha: f32) -> Self {
        self.alpha = alpha;
        self
    }

    /// The power.
    pub const fn beta(mut self, beta: f32) -> Self {
        self.beta = beta;
        self
    }

    /// What is added to the squares.
    pub const fn k(mut self, k: f32) -> Self {
        self.k = k;
        self
    }

    /// `[channels, …] -> [channels, …]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        if self.size == 0 {
            let fault = Fault::expected("at least 1 channel").found_num(0);
            return Rule::Err(fault.help("give how many neighbouring channels it is over, such as 5"));
        }
        if !(self.k > 0.0 && self.k < f32::INFINITY) {
            let fault = Fault::expected("a finite `k` above 0").found_real(self.k);
            return Rule::Err(fault.help("use `k = 1.0`, or leave it out"));
        }
        if !(self.alpha >= 0.0 && self.alpha < f32::INFINITY) {
            let fault = Fault::expected("a finite `alpha` of at least 0").found_real(self.alpha);
            return Rule::Err(fault.help("use `alpha = 1e-4`, or leave it out"));
        }
        if !(self.beta > f32::NEG_INFINITY && self.beta < f32::INFINITY) {
            let fault = Fault::expected("a finite `beta`").found_real(self.beta);
            return Rule::Err(fault.help("use `beta = 0.75`, or leave it out"));
        }
        if x.rank() == 0 {
            return Rule::Err(Fault::expected("an input of [channels, …]").found(x).help("give it a dimension"));
        }
        let row = axis::row(&x, Normalization::feature_axis(&x));
        let form = OnnxForm::LocalResponse(self.size, [self.alpha, self.beta, self.k], Normalization::feature_axis(&x));
        let spec = LayerSpec::output(x).computes().scratch(0, row.saturating_mul(3)).backward_without_y().onnx(form);
        // Of steps each is normalised by itself.
        if x.rank() == 2 { spec.per_step().ok() } else { spec.ok() }
    }

    fn rows(&self, cx: &LayerContext) -> ChannelRows {
        let x = cx.input_shape(0);
        let axis = Normalization::feature_axis(&x);
        ChannelRows { channels: x.dim(axis), after: axis::row(&x, axis) / x.dim(axis) }
    }

    /// How many channels a window has before its own, and after.
    fn sides(&self) -> [usize; 2] {
        [self.size / 2, (self.size - 1) / 2]
    }

    fn base(&self) -> Base {
        Base { k: self.k, alpha: self.alpha / self.size as f32, power: -self.beta }
    }
}

impl ChannelRows {
    /// Of each channel the sum over a window of channels.
    fn sums(self, [before, after]: [usize; 2], from: &[f32], to: &mut [f32]) {
        for (c, to) in to.chunks_exact_mut(self.after).enumerate() {
            to.fill(0.0);
            let window = c.saturating_sub(before)..c.saturating_add(after).saturating_add(1).min(self.channels);
            for from in from[window.start * self.after..window.end * self.after].chunks_exact(self.after) {
                to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
            }
        }
    }
}

/// `(k + alpha · sum)^power`
#[derive(Clone, Copy)]
struct Base {
    k: f32,
    alpha: f32,
    power: f32,
}

impl Base {
    #[inline(always)]
    fn base<S: Simd>(self, s: S, sum: S::F) -> S::F {
        s.fma(s.splat(self.alpha), sum, s.splat(self.k))
    }
}

/// Of a number and the sum of its window: the number normalised.
struct Normalised(Base);

impl Map<2> for Normalised {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x, sum]: [S::F; 2]) -> S::F {
        s.mul(x, powf(s, self.0.base(s, sum), s.splat(self.0.power)))
    }
}

/// Of a number, its gradient and the sum of its window: the gradient of that sum, but for `power · alpha`.
struct ToSum(Base);

impl Map<3> for ToSum {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x, dy, sum]: [S::F; 3]) -> S::F {
        // Divided twice: the power by one more vanishes where numbers are large.
        let base = self.0.base(s, sum);
        s.div(s.mul(s.mul(x, powf(s, base, s.splat(self.0.power))), dy), base)
    }
}

/// Of a gradient, the sum of the window, and the number times the gradients of all sums that it is in.
struct ToInput(Base);

impl Map<3> for ToInput {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [dy, sum, pulled]: [S::F; 3]) -> S::F {
        let Base { alpha, power, .. } = self.0;
        let through = s.mul(s.splat(2.0 * alpha * power), pulled);
        s.fma(dy, powf(s, self.0.base(s, sum), s.splat(power)), through)
    }
}

impl Layer for LocalResponseNorm {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let (rows, isa) = (self.rows(cx), cx.isa);
        let len = rows.channels * rows.after;
        let (squares, rest) = cx.scratch.split_at_mut(len);
        let sums = &mut rest[..len];
        for (x, y) in x.chunks_exact(len).zip(y.chunks_exact_mut(len)) {
            squares.iter_mut().zip(x).for_each(|(square, x)| *square = x * x);
            rows.sums(self.sides(), squares, sums);
            isa.zip(&Normalised(self.base()), x, sums, y);
        }
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        [x]: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        if dx.is_empty() {
            return;
        }
        let (rows, isa) = (self.rows(cx), cx.isa);
        let len = rows.channels * rows.after;
        let (squares, rest) = cx.scratch.split_at_mut(len);
        let (sums, rest) = rest.split_at_mut(len);
        let pulled = &mut rest[..len];
        let [before, after] = self.sides();
        for ((x, dy), dx) in x.chunks_exact(len).zip(dy.chunks_exact(len)).zip(dx.chunks_exact_mut(len)) {
            squares.iter_mut().zip(x).for_each(|(square, x)| *square = x * x);
            rows.sums([before, after], squares, sums);
            isa.zip3(&ToSum(self.base()), x, dy, sums, squares);
            // Those whose windows a channel is in lie the other way round.
            rows.sums([after, before], squares, pulled);
            pulled.iter_mut().zip(x).for_each(|(pulled, x)| *pulled *= x);
            isa.zip3(&ToInput(self.base()), dy, sums, pulled, dx);
        }
    }
}
