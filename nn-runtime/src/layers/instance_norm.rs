//! `InstanceNorm`: every channel of a sample brought to mean 0 and deviation 1. In: `[channels, …]`; out: the
//! same. It knows one sample at a time: training and prediction are the same.

use super::channel_norm::{ChannelNorm, channel_norm_layer};
use super::norm::Norm;
use super::{Normalization, axis};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;

/// `y = (x - mean) / √(variance + eps) · weight + bias`, mean and (biased) variance over each channel of a
/// sample: `[steps, features] -> [steps, features]`, `[channels, height, width] -> [channels, height,
/// width]`, and so with more dimensions. The features of a sequence are its channels, each normalised over
/// all steps: so it is no layer for streams.
///
/// | argument | here | PyTorch's `InstanceNorm2d` | Keras's `GroupNormalization(-1)` |
/// |---|---|---|---|
/// | `eps`, above 0 | `1e-5` | `eps=1e-5` | `epsilon=1e-3` |
/// | `axis`, from 0, the batch not counted: where the channels are | 1 of `[steps, features]`, else 0, as of `[1, length]` | channels first: `[channels, steps]` | `axis=-1` |
/// | `affine`: whether there are weight and bias | `false` | `affine=False` | `scale=True`, `center=True` |
///
/// Parameters, if `affine`: `weight` and `bias`, `[channels]`; they begin as 1 and 0. PyTorch's running
/// statistics, off by default, are left out. Ulyanov, Vedaldi & Lempitsky, "Instance Normalization: The
/// Missing Ingredient for Fast Stylization", 2016.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Even: [2, 2] -> [2, 2] { InstanceNorm(axis = 0) }
/// }
/// let y = *Even::init(0).predictor(1).predict(&[10.0, 30.0, 7.0, -7.0]);
/// assert!((y[0] + 1.0).abs() < 1e-6 && (y[2] - 1.0).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InstanceNorm {
    norm: Norm,
    axis: Option<usize>,
}

#[allow(clippy::new_without_default, reason = "a layer is written in a declaration, never a default")]
impl InstanceNorm {
    /// Each channel on its own, nothing learnt.
    pub const fn new() -> Self {
        InstanceNorm { norm: Norm { eps: 1e-5, weight: false, bias: true }, axis: None }
    }

    /// What is added to the variance.
    pub const fn eps(mut self, eps: f32) -> Self {
        self.norm.eps = eps;
        self
    }

    /// Whether a weight and a bias are learnt for each channel.
    pub const fn affine(mut self, affine: bool) -> Self {
        self.norm.weight = affine;
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
            // Of a single step there is no deviation: `[1, length]` is a channel.
            None if x.rank() == 2 && x.dim(0) == 1 => 0,
            None => Normalization::feature_axis(x),
        }
    }

    /// `[channels, …] -> [channels, …]`, `[steps, features] -> [steps, features]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let axis = self.axis_of(&x);
        if x.rank() > 0
            && let Some(fault) = axis::fault(axis, x)
        {
            return Rule::Err(fault);
        }
        let channels = if x.rank() > 0 { x.dim(axis) } else { 0 };
        if channels == 0 || x.len() / channels < 2 {
            let fault = Fault::expected("an input of [channels, …] with 2 numbers or more in each channel").found(x);
            return Rule::Err(fault.help("on features use `LayerNorm`"));
        }
        self.channel_norm(&x).rule(x, "on features use `LayerNorm`")
    }

    const fn channel_norm(&self, x: &Shape) -> ChannelNorm {
        let axis = self.axis_of(x);
        ChannelNorm::new(self.norm, x, axis, x.dim(axis))
    }
}

channel_norm_layer!(InstanceNorm);
