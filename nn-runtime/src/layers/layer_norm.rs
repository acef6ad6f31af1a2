//! `LayerNorm`: each row of the last dimensions brought to mean 0 and deviation 1. In: any shape; out: the
//! same. It knows one sample at a time: training and prediction are the same.

use super::norm::{Norm, norm_of_last_axes};
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;
use nn_kernels::row_norm::NormRows;

/// `y = (x - mean) / √(variance + eps) · weight + bias`, mean and (biased) variance over the last `axes`
/// dimensions of a sample. Any shape.
///
/// | argument | here | PyTorch's `LayerNorm` | Keras's `LayerNormalization` |
/// |---|---|---|---|
/// | `axes`: how many of the last dimensions | `1` | by `normalized_shape` | `axis=-1`, any list |
/// | `eps`, above 0 | `1e-5` | `eps=1e-5` | `epsilon=1e-3` |
/// | `affine`: whether there are weight and bias | `true` | `elementwise_affine=True` | `scale=True`, `center=True` |
/// | `bias` | `true` | `bias=True` | `center=True` |
///
/// Parameters: `weight` and `bias`, of the shape of the last dimensions; they begin as 1 and 0. Deviations
/// from the mean are squared: rows with some of 1e19 and more have an infinite variance and become 0, as
/// PyTorch's.
/// Ba, Kiros & Hinton, "Layer Normalization", 2016.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Even: [2] -> [2] { LayerNorm }
/// }
/// let y = *Even::init(0).predictor(1).predict(&[10.0, 30.0]);
/// assert!((y[0] + 1.0).abs() < 1e-6 && (y[1] - 1.0).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm {
    axes: usize,
    norm: Norm,
}

#[allow(clippy::new_without_default, reason = "a layer is written in a declaration, never a default")]
impl LayerNorm {
    /// Over the last dimension.
    pub const fn new() -> Self {
        LayerNorm { axes: 1, norm: Norm { eps: 1e-5, weight: true, bias: true } }
    }

    /// Whether a bias is learnt beside the weight.
    pub const fn bias(mut self, bias: bool) -> Self {
        self.norm.bias = bias;
        self
    }
}

norm_of_last_axes!(LayerNorm, centred: true, LayerNorm);
