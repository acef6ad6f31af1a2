//! `Normalization`: a data set's own mean and deviation taken out, as the first layer. In: any shape; out:
//! the same. The two are given once, from the training data, and saved with the weights; no step changes
//! them.

use super::axis;
use crate::init::Init;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::{LayerSpec, Rule};
use nn_kernels::batch_norm::{Channels, channels_backward, scale_channels};

/// `y = (x - mean) / max(std, 1e-7)`, one mean and deviation for each index of `axis`. Any shape.
///
/// | argument | here | PyTorch | Keras's `Normalization` |
/// |---|---|---|---|
/// | `axis`, from 0, the batch not counted | `0`: features of a table, channels of images | no such layer | `axis=-1` |
/// | mean and deviation | by name, see below | | `adapt(data)`, or `mean`, `variance` |
///
/// Parameters, saved but not learnt: `mean` and `std`, `[length of the axis]`; they begin as 0 and 1, which
/// changes nothing. They are fitted to the training data by [`Standardize`](crate::data::Standardize), of
/// data that is not standardised already:
///
/// ```
/// use nn_runtime::data::Standardize;
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Net: [2] -> [2] { norm: Normalization }
/// }
/// let train = Dataset::values(&[[1.0, 50.0], [3.0, 90.0]], &[[0.0], [1.0]])?;
/// let fitted = Standardize::fit(&train)?;
/// let mut net = Net::init(0);
/// net.set("norm.mean", &fitted.mean(0))?;
/// net.set("norm.std", &fitted.std(0))?;
/// assert_eq!(net.predictor(1).predict(&[5.0, 50.0]), &[3.0, -1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Normalization {
    axis: usize,
}

/// Below this a deviation counts as this: constant features become 0, not NaN.
const LEAST: f32 = 1e-7;

#[allow(clippy::new_without_default, reason = "a layer is written in a declaration, never a default")]
impl Normalization {
    /// For each index of the first dimension.
    pub const fn new() -> Self {
        Normalization { axis: 0 }
    }

    /// For each index of this dimension, the batch not counted.
    pub const fn axis(mut self, axis: usize) -> Self {
        self.axis = axis;
        self
    }

    /// `[…] -> […]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        if let Some(fault) = axis::fault(self.axis, x) {
            return Rule::Err(fault);
        }
        let len = x.dim(self.axis);
        LayerSpec::output(x)
            .constant("mean", Shape::of([len]), Init::Zeros)
            .constant("std", Shape::of([len]), Init::Constant(1.0))
            .scratch(0, 2 * len)
            .accepts_elementwise()
            .backward_without_x()
            .ok()
    }

    /// What lies before the axis goes with the batch.
    fn lay(&self, cx: &LayerContext) -> Channels {
        let x = cx.input_shape(0);
        Channels { channels: x.dim(self.axis), inner: axis::row(&x, self.axis) / x.dim(self.axis) }
    }
}

/// One over each deviation, and as many zeros.
fn scales<'a>(cx: &'a mut LayerContext) -> (&'a [f32], &'a [f32]) {
    let std = cx.param(1);
    let (scale, zeros) = cx.scratch.split_at_mut(std.len());
    for (scale, std) in scale.iter_mut().zip(std) {
        *scale = 1.0 / std.max(LEAST);
    }
    let zeros = &mut zeros[..std.len()];
    zeros.fill(0.0);
    (scale, zeros)
}

impl Layer for Normalization {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let (isa, floor, lay, mean) = (cx.isa, cx.floor(), self.lay(cx), cx.param(0));
        let (scale, zeros) = scales(cx);
        scale_channels(isa, lay, x, [mean, scale, zeros], floor, y);
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        if !dx.is_empty() {
            let (isa, lay) = (cx.isa, self.lay(cx));
            let (scale, zeros) = scales(cx);
            channels_backward(isa, lay, dy, dy, [zeros, scale, zeros, zeros], dx);
        }
    }
}
