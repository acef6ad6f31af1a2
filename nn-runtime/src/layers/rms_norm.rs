//! `RmsNorm`: each row of the last dimensions brought to mean square 1. In: any shape; out: the same. It
//! knows one sample at a time: training and prediction are the same.

use super::norm::{Norm, norm_of_last_axes};
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;
use nn_kernels::row_norm::NormRows;

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
}

norm_of_last_axes!(RmsNorm, centred: false, RmsNorm);
