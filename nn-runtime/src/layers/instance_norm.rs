//! `InstanceNorm`: every channel of a sample brought to mean 0 and deviation 1. In: `[channels, …]`; out: the same. It knows one
//! sample at a time: training and prediction are the same.

use super::group_norm::channel_rows;
use super::norm::{Norm, row_norm_layer};
use crate::fault::Fault;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;
use crate::spec::Rule;
use nn_kernels::row_norm::NormRows;

/// `y = (x - mean) / √(variance + eps) · weight + bias`, mean and (biased) variance over each channel of a sample:
/// `[channels, length] -> [channels, length]`, and so with more dimensions.
///
/// | argument | here | PyTorch's `InstanceNorm2d` | Keras's `GroupNormalization(-1)` |
/// |---|---|---|---|
/// | `eps`, above 0 | `1e-5` | `eps=1e-5` | `epsilon=1e-3` |
/// | `affine`: whether there are weight and bias | `false` | `affine=False` | `scale=True`, `center=True` |
///
/// Parameters, if `affine`: `weight` and `bias`, `[channels]`; they begin as 1 and 0. PyTorch's running statistics, off by default,
/// are left out. Ulyanov, Vedaldi & Lempitsky, "Instance Normalization: The Missing Ingredient for Fast Stylization", 2016.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Even: [2, 2] -> [2, 2] { InstanceNorm }
/// }
/// let y = *Even::init(0).predictor(1).predict(&[10.0, 30.0, 7.0, -7.0]);
/// assert!((y[0] + 1.0).abs() < 1e-6 && (y[2] - 1.0).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InstanceNorm {
    norm: Norm,
}

#[allow(clippy::new_without_default, reason = "a layer is written in a declaration, never a default")]
impl InstanceNorm {
    /// Each channel on its own, nothing learnt.
    pub const fn new() -> Self {
        InstanceNorm { norm: Norm { eps: 1e-5, weight: false, bias: true } }
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
        let channels = if x.rank() > 0 { x.dim(0) } else { 0 };
        if channels == 0 || x.len() / channels < 2 {
            let fault = Fault::expected("an input of [channels, …] with 2 numbers or more in each channel").found(x);
            return Rule::Err(fault.help("on features use `LayerNorm`"));
        }
        self.norm.rule(x, channels, Shape::of([channels]))
    }

    fn rows(&self, cx: &LayerContext<'_, impl Sized>) -> NormRows {
        let x = cx.input_shape(0);
        channel_rows(&x, x.dim(0), self.norm)
    }
}

row_norm_layer!(InstanceNorm);
