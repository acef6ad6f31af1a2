//! `RmsNorm`: each row of the last dimensions brought to mean square 1. In: any shape; out: the same. It knows one sample at a time:
//! training and prediction are the same.

use super::norm::{Norm, row_norm_layer};
use crate::facts::Rule;
use crate::kernels::row_norm::Rows;
use crate::layer::{Cx, Layer, Look, Part};
use crate::shape::Shape;

/// `y = x / √(mean of x² + eps) · weight`, the mean over the last `axes` dimensions of a sample. Any shape.
///
/// | argument | here | PyTorch's `RMSNorm` | Keras's `RMSNormalization` |
/// |---|---|---|---|
/// | `axes`: how many of the last dimensions | `1` | by `normalized_shape` | `axis=-1` |
/// | `eps`, above 0 | `1e-6` | that of the type, `1.19e-7` | `epsilon=1e-6` |
/// | `affine`: whether there is a weight | `true` | `elementwise_affine=True` | always |
///
/// Parameter: `weight`, of the shape of the last dimensions; it begins as 1.
/// Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Unit: [2] -> [2] { RmsNorm }
/// }
/// let y = *Unit::init(0).predictor(1).predict(&[1.0, 7.0]);
/// assert!((y[0] - 0.2).abs() < 1e-6 && (y[1] - 1.4).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RmsNorm {
    axes: usize,
    norm: Norm,
}

#[allow(clippy::new_without_default, reason = "a layer is written in a declaration, never a default")]
impl RmsNorm {
    /// Over the last dimension.
    pub const fn new() -> Self {
        RmsNorm { axes: 1, norm: Norm { eps: 1e-6, weight: true, bias: false } }
    }

    /// Over so many of the last dimensions together.
    pub const fn axes(mut self, axes: usize) -> Self {
        self.axes = axes;
        self
    }

    /// What is added to the mean of squares.
    pub const fn eps(mut self, eps: f32) -> Self {
        self.norm.eps = eps;
        self
    }

    /// Whether a weight is learnt.
    pub const fn affine(mut self, affine: bool) -> Self {
        self.norm.weight = affine;
        self
    }

    /// `[…] -> […]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        self.norm.over_last(x, self.axes)
    }

    fn rows(&self, cx: &Cx<'_, impl Sized>) -> Rows {
        let row = super::axis::row(&cx.input_shape(0), cx.input_shape(0).rank() - self.axes);
        Rows { row, span: 1, weights: row, centred: false, eps: self.norm.eps }
    }
}

row_norm_layer!(RmsNorm);
