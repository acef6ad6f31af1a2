//! `BatchNorm`: every channel normalised to mean 0 and deviation 1 over the batch. In: `[features]`,
//! `[steps, features]` or `[channels, …]`; out: the same. While training the statistics are those of the
//! whole batch; when predicting, or frozen, the running ones.

#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};

use super::norm::eps_fault;
use super::{Normalization, axis};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext, WholeBatch};
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm};
use nn_kernels::batch_norm::{Channels, channels_backward, gradient_sums, moments, scale_channels};

/// `y = (x - mean) / √(variance + eps) · weight + bias`, one mean and variance per channel: `[features] ->
/// [features]`, `[steps, features] -> [steps, features]`, `[channels, height, width] -> [channels, height,
/// width]`, and so with any further dimensions. The features of a sequence are its channels: their statistics
/// are over the batch and all steps.
///
/// While training, mean and (biased) variance are those of the batch, and a step moves the running ones
/// towards them: `running += momentum · (batch - running)`, with the unbiased variance. Predictions, and a
/// `frozen` layer, use the running ones.
///
/// | argument | here | PyTorch's `BatchNorm2d` | Keras's `BatchNormalization` |
/// |---|---|---|---|
/// | `momentum`, from 0 to 1: the weight of the batch | `0.1` | `momentum=0.1` | `momentum=0.99`, the weight of the old |
/// | `cumulative`: the running statistics are the means of all batches so far, and `momentum` has no part in them | `false` | `momentum=None` | – |
/// | `eps`, above 0 | `1e-5` | `eps=1e-5` | `epsilon=1e-3` |
/// | `affine`: whether there are weight and bias | `true` | `affine=True` | `scale=True`, `center=True` |
/// | `init` (of the weight) | `Constant(1.0)` | 1 | `gamma_initializer="ones"` |
/// | which variance runs | unbiased | unbiased | biased |
/// | `axis`, from 0, the batch not counted: where the channels are | 1 of `[steps, features]`, else 0 | channels first: `[channels, steps]` | `axis=-1` |
/// | one number per channel while training, as in a last batch of one | normalised with the running statistics, which stay | an error | `y = bias` |
///
/// On a sequence the network can be streamed, except along `axis = 0`, its steps. Where one layer is used in
/// several places (`share`), the running statistics follow the batches of all of them, one after the other.
///
/// Parameters: `weight` and `bias`, `[channels]`; beside them, saved but not learnt, `running_mean` and
/// `running_var`, which begin as 0 and 1, and with `cumulative` the number of `batches`, `[1]` (PyTorch's
/// `num_batches_tracked`: each use of a shared layer counts). Ioffe & Szegedy, "Batch Normalization", 2015.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Even: [2] -> [2] { BatchNorm(eps = 1e-7) }
/// }
/// let mut model = Even::init(0);
/// model.set("batch_norm_1.running_mean", &[10.0, 0.0])?;
/// model.set("batch_norm_1.running_var", &[4.0, 1.0])?;
/// let y = *model.predictor(1).predict(&[12.0, 1.0]);
/// assert!((y[0] - 1.0).abs() < 1e-6 && (y[1] - 1.0).abs() < 1e-6);
/// # Ok::<(), nn_runtime::ParamError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm {
    momentum: f32,
    cumulative: bool,
    eps: f32,
    affine: bool,
    init: Init,
    axis: Option<usize>,
}

#[allow(clippy::new_without_default, reason = "a layer is written in a declaration, never a default")]
impl BatchNorm {
    /// For each feature of `[features]` and `[steps, features]`, and for each channel of `[channels, …]`.
    pub const fn new() -> Self {
        BatchNorm { momentum: 0.1, cumulative: false, eps: 1e-5, affine: true, init: Init::Constant(1.0), axis: None }
    }

    /// How far a step moves the running statistics towards those of its batch.
    pub const fn momentum(mut self, momentum: f32) -> Self {
        self.momentum = momentum;
        self
    }

    /// Whether every batch so far counts alike in the running statistics.
    pub const fn cumulative(mut self, cumulative: bool) -> Self {
        self.cumulative = cumulative;
        self
    }

    /// What is added to the variance.
    pub const fn eps(mut self, eps: f32) -> Self {
        self.eps = eps;
        self
    }

    /// Whether a weight and a bias are learnt for each channel.
    pub const fn affine(mut self, affine: bool) -> Self {
        self.affine = affine;
        self
    }

    /// Where the channels are: this dimension, the batch not counted. `axis = 0` for a signal of `[channels,
    /// length]`.
    pub const fn axis(mut self, axis: usize) -> Self {
        self.axis = Some(axis);
        self
    }

    const fn axis_of(&self, x: &Shape) -> usize {
        match self.axis {
            Some(axis) => axis,
            None => Normalization::feature_axis(x),
        }
    }

    /// What the weight is drawn from: `Zeros` lets a residual block begin as nothing.
    pub const fn init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// `[channels, …] -> [channels, …]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        if let Some(fault) = eps_fault(self.eps) {
            return Rule::Err(fault);
        }
        if !(self.momentum >= 0.0 && self.momentum <= 1.0) {
            let fault = Fault::expected("a momentum from 0 to 1").found_real(self.momentum);
            return Rule::Err(fault.help("give the weight of the batch, such as `momentum = 0.1`"));
        }
        if x.rank() == 0 {
            return Rule::Err(Fault::expected("an input of [channels, …]").found(x).help("give it a dimension"));
        }
        let axis = self.axis_of(&x);
        if let Some(fault) = axis::fault(axis, x) {
            return Rule::Err(fault);
        }
        let channels = Shape::of([x.dim(axis)]);
        let mut spec = LayerSpec::output(x).computes().meets_whole_batch().backward_input_first().accepts_elementwise();
        if self.affine {
            spec = spec.param("weight", channels, self.init).param("bias", channels, Init::Zeros);
        }
        if axis > 0 {
            spec = spec.per_step();
        }
        spec = spec.running_stat("running_mean", channels, Init::Zeros);
        spec = spec.running_stat("running_var", channels, Init::Constant(1.0));
        if self.cumulative {
            spec = spec.running_stat("batches", Shape::of([1]), Init::Zeros);
        }
        spec.saves(KEPT * x.dim(axis)).scratch(0, 3 * x.dim(axis)).onnx(OnnxForm::BatchNorm(axis, self.eps)).ok()
    }

    fn lay(&self, cx: &LayerContext<'_, impl Sized>) -> Channels {
        let x = cx.input_shape(0);
        let axis = self.axis_of(&x);
        // What lies before the axis goes with the batch.
        Channels { channels: x.dim(axis), inner: axis::row(&x, axis) / x.dim(axis) }
    }

    /// The number of the first running statistic.
    fn running(&self) -> usize {
        if self.affine { 2 } else { 0 }
    }

    /// weight / √(variance + eps)
    fn scale(&self, weight: Option<&[f32]>, var: &[f32], scale: &mut [f32]) {
        for (c, (scale, &var)) in scale.iter_mut().zip(var).enumerate() {
            let weight = weight.map_or(1.0, |weight| f64::from(weight[c]));
            *scale = (weight / self.deviation(var)) as f32;
        }
    }

    /// √(variance + eps)
    fn deviation(&self, var: f32) -> f64 {
        libm::sqrt(f64::from(var) + f64::from(self.eps))
    }
}

/// Numbers per channel of the whole batch. Where there is but one, the batch has no variance.
fn count(cx: &LayerContext<'_, impl Sized>, x: &[f32], channels: usize) -> usize {
    let here = x.len() / channels;
    cx.whole_batch.map_or(here, |whole| here / cx.batch * whole.samples())
}

/// Makes the mean and variance of a part those of the whole batch. Chan, Golub & LeVeque, "Updating formulae
/// and a pairwise algorithm for computing sample variances", 1979.
#[cfg(feature = "alloc")]
fn join_moments(whole: &dyn WholeBatch, mean: &mut [f32], var: &mut [f32]) {
    let n = mean.len();
    let own: Vec<f32> = mean.iter().chain(&*var).copied().collect();
    let mut parts = Vec::new();
    whole.gather(&own, &mut |samples, part| parts.push((samples as f64, part.to_vec())));
    let samples = whole.samples() as f64;
    for c in 0..n {
        let sum: f64 = parts.iter().map(|(samples, part)| samples * f64::from(part[c])).sum();
        let common = sum / samples;
        let square = |(samples, part): &(f64, Vec<f32>)| {
            let apart = f64::from(part[c]) - common;
            samples * (f64::from(part[n + c]) + apart * apart)
        };
        (mean[c], var[c]) = (common as f32, (parts.iter().map(square).sum::<f64>() / samples) as f32);
    }
}

/// One number per channel each.
fn per_channel<const K: usize>(memory: &mut [f32], channels: usize) -> [&mut [f32]; K] {
    let mut rest = memory;
    core::array::from_fn(|_| {
        let (one, more) = core::mem::take(&mut rest).split_at_mut(channels);
        rest = more;
        one
    })
}

/// What is kept of each channel for the backward methods: the mean and variance that were used, Σ dy and Σ dy
/// · (x - mean) of the samples here.
const KEPT: usize = 4;

impl Layer for BatchNorm {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let (lay, floor) = (self.lay(cx), cx.floor());
        let n = lay.channels;
        let training = cx.is_training() && count(cx, x, n) > 1;
        let [weight, bias] = [0, 1].map(|i| self.affine.then(|| cx.param(i)));
        let given = [0, 1].map(|i| cx.param(self.running() + i));
        let mut statistics = given;
        // A prediction whose gradients nobody will ask for keeps nothing.
        if !cx.saved.is_empty() {
            let [mean, var, ..] = per_channel::<KEPT>(cx.saved, n);
            if training {
                moments(cx.isa, lay, x, mean, var);
                // Only a trainer, which allocates, runs a part of a batch.
                #[cfg(feature = "alloc")]
                if let Some(whole) = cx.whole_batch {
                    join_moments(whole, mean, var);
                }
            } else {
                mean.copy_from_slice(given[0]);
                var.copy_from_slice(given[1]);
            }
            statistics = [mean, var];
        }
        let [mean, var] = statistics;
        let [scale, shift] = per_channel(cx.scratch, n);
        self.scale(weight, var, scale);
        match bias {
            Some(bias) => shift.copy_from_slice(bias),
            None => shift.fill(0.0),
        }
        scale_channels(cx.isa, lay, x, [mean, scale, shift], floor, y);
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        [x]: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        let lay = self.lay(cx);
        let n = lay.channels;
        let count = count(cx, x, n);
        let training = cx.is_training() && count > 1;
        let weight = self.affine.then(|| cx.param(0));
        let [mean, var, plain, along] = per_channel::<KEPT>(cx.saved, n);
        gradient_sums(cx.isa, lay, dy, x, mean, plain, along);
        if dx.is_empty() {
            return;
        }
        let [scale, slope, shift] = per_channel(cx.scratch, n);
        self.scale(weight, var, scale);
        slope.fill(0.0);
        shift.fill(0.0);
        // Statistics that are not the batch's are constants, without a gradient.
        if training {
            let mut fill = |plain: &dyn Fn(usize) -> f64, along: &dyn Fn(usize) -> f64| {
                let count = count as f64;
                for c in 0..n {
                    let (scale, deviation) = (f64::from(scale[c]), self.deviation(var[c]));
                    slope[c] = (-scale * along(c) / (count * deviation * deviation)) as f32;
                    shift[c] = (-scale * plain(c) / count) as f32;
                }
            };
            match cx.whole_batch {
                #[cfg(feature = "alloc")]
                Some(whole) => {
                    let own: Vec<f32> = plain.iter().chain(&*along).copied().collect();
                    let mut sums = vec![0.0; 2 * n];
                    whole.gather(&own, &mut |_, part| {
                        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += f64::from(*part));
                    });
                    fill(&|c| sums[c], &|c| sums[n + c]);
                }
                _ => fill(&|c| f64::from(plain[c]), &|c| f64::from(along[c])),
            }
        }
        channels_backward(cx.isa, lay, dy, x, [mean, scale, slope, shift], dx);
    }

    fn backward_params(&self, cx: &mut ReadContext, [x]: [&[f32]; 1], _: [&[f32]; 1], mut grad: ParamGrad) {
        let n = self.lay(cx).channels;
        let count = count(cx, x, n) as f64;
        let [mean, var, plain, along]: [&[f32]; KEPT] = core::array::from_fn(|k| &cx.saved[k * n..][..n]);
        if self.affine {
            let (range, dw) = grad.slice(cx, 0);
            for (c, dw) in range.zip(dw) {
                *dw += (f64::from(along[c]) / self.deviation(var[c])) as f32;
            }
            let (range, db) = grad.slice(cx, 1);
            range.zip(db).for_each(|(c, db)| *db += plain[c]);
        }
        // A single number has no variance: it was normalised with the running statistics, which stay.
        if !cx.is_training() || count <= 1.0 {
            return;
        }
        // Of a shared layer, `change` has what the uses before this one changed.
        let batches = self.running() + 2;
        let follow = |change: &mut f32, now: f32, batch: f32, momentum| *change += momentum * (batch - (now + *change));
        // It is read where a statistic is asked for, and there alone.
        let momentum = |cx: &ReadContext| match (cx.earlier_batches, self.cumulative) {
            (Some(earlier), _) => 1.0 / (earlier * cx.uses.all + cx.uses.before + 1) as f32,
            (None, true) => 1.0 / (cx.param(batches)[0] + cx.uses.before as f32 + 1.0),
            (None, false) => self.momentum,
        };
        let (range, change) = grad.slice(cx, self.running());
        if !range.is_empty() {
            let (now, momentum) = (cx.param(self.running()), momentum(cx));
            range.zip(change).for_each(|(c, change)| follow(change, now[c], mean[c], momentum));
        }
        let (range, change) = grad.slice(cx, self.running() + 1);
        if !range.is_empty() {
            let (now, momentum) = (cx.param(self.running() + 1), momentum(cx));
            for (c, change) in range.zip(change) {
                let unbiased = (f64::from(var[c]) * count / (count - 1.0)) as f32;
                follow(change, now[c], unbiased, momentum);
            }
        }
        if self.cumulative {
            let (_, change) = grad.slice(cx, batches);
            change.iter_mut().for_each(|change| *change += 1.0);
        }
    }
}
