//! `GroupNorm`: groups of channels brought to mean 0 and deviation 1. In: `[channels, …]`; out: the same. It knows one sample at a
//! time: training and prediction are the same.

use super::norm::{Norm, row_norm_layer};
use crate::fault::Fault;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;
use crate::spec::Rule;
use nn_kernels::row_norm::NormRows;

/// `y = (x - mean) / √(variance + eps) · weight + bias`, mean and (biased) variance over each of `groups` groups of channels of a
/// sample, weight and bias one per channel: `[channels, …] -> [channels, …]`.
///
/// | argument | here | PyTorch's `GroupNorm` | Keras's `GroupNormalization` |
/// |---|---|---|---|
/// | `groups`, a divisor of the channels | must be given | `num_groups` | `groups=32` |
/// | `eps`, above 0 | `1e-5` | `eps=1e-5` | `epsilon=1e-3` |
/// | `affine`: whether there are weight and bias | `true` | `affine=True` | `scale=True`, `center=True` |
///
/// Parameters: `weight` and `bias`, `[channels]`; they begin as 1 and 0. Wu & He, "Group Normalization", 2018.
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
}

impl GroupNorm {
    /// So many groups of channels.
    pub const fn new(groups: usize) -> Self {
        GroupNorm { groups, norm: Norm { eps: 1e-5, weight: true, bias: true } }
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

    /// `[channels, …] -> [channels, …]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        if x.is_empty() {
            return Rule::Err(
                Fault::expected("an input of [channels, …]").found(x).help("make every dimension at least 1"),
            );
        }
        let channels = x.dim(0);
        if self.groups == 0 || !channels.is_multiple_of(self.groups) {
            let fault = Fault::expected("groups that divide the ").num(channels).str(" channels of ").shape(x);
            let fault = fault.found_num(self.groups).help("write `GroupNorm(");
            return Rule::Err(fault.num(divisor(channels, self.groups)).str(")`"));
        }
        self.norm.rule(x, self.groups, Shape::of([channels]))
    }

    fn rows(&self, cx: &LayerContext<'_, impl Sized>) -> NormRows {
        channel_rows(&cx.input_shape(0), self.groups, self.norm)
    }
}

row_norm_layer!(GroupNorm);

/// Groups of the first dimension as rows.
pub(super) fn channel_rows(x: &Shape, groups: usize, norm: Norm) -> NormRows {
    let row = x.len() / groups;
    // Without weights a row is one piece.
    let (span, weights) = if norm.weight { (x.len() / x.dim(0), x.dim(0)) } else { (row, 1) };
    NormRows { row, span, weights, centred: true, eps: norm.eps }
}

/// The largest divisor not above `limit`, at least 1.
const fn divisor(of: usize, limit: usize) -> usize {
    let mut d = if limit < of { limit } else { of };
    while d > 1 && !of.is_multiple_of(d) {
        d -= 1;
    }
    if d == 0 { 1 } else { d }
}
