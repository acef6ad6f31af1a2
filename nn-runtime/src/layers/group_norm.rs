//! `GroupNorm`: groups of channels brought to mean 0 and deviation 1. In: `[channels, …]`; out: the same. It
//! knows one sample at a time: training and prediction are the same.

use super::channel_norm::{ChannelNorm, channel_norm_layer};
use super::norm::Norm;
use super::{Normalization, axis};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;

/// `y = (x - mean) / √(variance + eps) · weight + bias`, mean and (biased) variance over each of `groups`
/// groups of channels of a sample, weight and bias one per channel: `[features]`, `[steps, features]` or
/// `[channels, …]`, and the same out. The features of a sequence are its channels, and a group is normalised
/// over all steps: so it is no layer for streams.
///
/// | argument | here | PyTorch's `GroupNorm` | Keras's `GroupNormalization` |
/// |---|---|---|---|
/// | `groups`, a divisor of the channels | must be given | `num_groups` | `groups=32` |
/// | `eps`, above 0 | `1e-5` | `eps=1e-5` | `epsilon=1e-3` |
/// | `axis`, from 0, the batch not counted: where the channels are | 1 of `[steps, features]`, else 0 | channels first: `[channels, steps]` | `axis=-1` |
/// | `affine`: whether there are weight and bias | `true` | `affine=True` | `scale=True`, `center=True` |
///
/// Parameters: `weight` and `bias`, `[channels]`; they begin as 1 and 0. Wu & He, "Group Normalization",
/// 2018.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Even: [4] -> [4] { GroupNorm(2) }
/// }
/// let y = *Even::init(0).predictor(1).predict(&[10.0, 30.0, 7.0, -7.0]);
/// assert!((y[0] + 1.0).abs() < 1e-6 && (y[2] - 1.0).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GroupNorm {
    groups: usize,
    norm: Norm,
    axis: Option<usize>,
}

impl GroupNorm {
    /// So many groups of channels.
    pub const fn new(groups: usize) -> Self {
        GroupNorm { groups, norm: Norm { eps: 1e-5, weight: true, bias: true }, axis: None }
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
            None => Normalization::feature_axis(x),
        }
    }

    /// `[channels, …] -> [channels, …]`, `[steps, features] -> [steps, features]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        if x.is_empty() {
            return Rule::Err(
                Fault::expected("an input of [channels, …]").found(x).help("make every dimension at least 1"),
            );
        }
        let axis = self.axis_of(&x);
        if let Some(fault) = axis::fault(axis, x) {
            return Rule::Err(fault);
        }
        let channels = x.dim(axis);
        if self.groups == 0 || !channels.is_multiple_of(self.groups) {
            let fault = Fault::expected("groups that divide the ").num(channels).str(" channels of ").shape(x);
            let fault = fault.found_num(self.groups).help("write `GroupNorm(");
            return Rule::Err(fault.num(divisor(channels, self.groups)).str(")`"));
        }
        self.channel_norm(&x).rule(x, "give fewer groups, such as `GroupNorm(1)`")
    }

    const fn channel_norm(&self, x: &Shape) -> ChannelNorm {
        ChannelNorm::new(self.norm, x, self.axis_of(x), self.groups)
    }
}

channel_norm_layer!(GroupNorm);

/// The largest divisor not above `limit`, at least 1.
const fn divisor(of: usize, limit: usize) -> usize {
    let mut d = if limit < of { limit } else { of };
    while d > 1 && !of.is_multiple_of(d) {
        d -= 1;
    }
    if d == 0 { 1 } else { d }
}
