//! `Normalization`: a data set's own mean and deviation taken out, as the first layer. The two are given
//! once, from the training data, and saved with the weights; no step changes them.

use super::axis;
use crate::graph::Rule;
use crate::init::Init;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm};
use nn_kernels::batch_norm::{Channels, channels_backward, scale_channels};

/// `y = (x - mean) / std`, one mean and deviation for each index of `axis`. Any shape. A deviation of 0
/// counts as 1, so that constant features become 0, not NaN; there is no other floor, so units do not matter.
/// Without `axis` it is the last one of `[steps, features]`, and the first one of any other shape.
///
/// | argument | here | PyTorch | Keras's `Normalization` |
/// |---|---|---|---|
/// | `axis`, from 0, the batch not counted | that of features or channels | no such layer | `axis=-1` |
/// | mean and deviation | by name, see below | | `adapt(data)`, or `mean`, `variance` |
/// | a deviation of 0 | counts as 1 | | counts as 1e-7, as do all below |
///
/// Parameters, saved but not learnt: `mean` and `std`, `[length of the axis]`; they begin as 0 and 1, which
/// changes nothing. They are fitted to the training data by [`Standardize`](crate::data::Standardize), of
/// data that is not standardised already, and so travel with the weights. On a sequence the network can be
/// streamed, except along `axis = 0`, its steps.
///
/// ```
/// use nn_runtime::data::Standardize;
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Net: [2] -> [2] { norm: Normalization }
/// }
/// let train = Dataset::values(&[[1.0, 50.0], [3.0, 90.0]], &[[0.0], [1.0]])?;
/// let fitted = Standardize::fit_network::<Net>(&train)?;
/// let mut net = Net::init(0);
/// net.set("norm.mean", &fitted.mean(0))?;
/// net.set("norm.std", &fitted.std(0))?;
/// assert_eq!(net.predictor(1).predict(&[5.0, 50.0]), &[3.0, -1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Normalization {
    axis: Option<usize>,
}

#[allow(clippy::new_without_default, reason = "a layer is written in a declaration, never a default")]
impl Normalization {
    /// For each feature of `[features]` and `[steps, features]`, and for each channel of `[channels, …]`.
    pub const fn new() -> Self {
        Normalization { axis: None }
    }

    /// For each index of this dimension, the batch not counted.
    pub const fn axis(mut self, axis: usize) -> Self {
        self.axis = Some(axis);
        self
    }

    /// The dimension that has the features of `x`: the last of a sequence, the first of anything else.
    pub(crate) const fn feature_axis(x: &Shape) -> usize {
        if x.rank() == 2 { 1 } else { 0 }
    }

    const fn axis_of(&self, x: &Shape) -> usize {
        match self.axis {
            Some(axis) => axis,
            None => Self::feature_axis(x),
        }
    }

    /// `[…] -> […]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let axis = self.axis_of(&x);
        if let Some(fault) = axis::fault(axis, x) {
            return Rule::Err(fault);
        }
        let len = x.dim(axis);
        let spec = LayerSpec::output(x)
            .constant("mean", Shape::of([len]), Init::Zeros)
            .constant("std", Shape::of([len]), Init::Constant(1.0))
            .scratch(0, 2 * len)
            .accepts_elementwise()
            .backward_without_x()
            .onnx(OnnxForm::Normalization(axis));
        if axis == 0 { spec.ok() } else { spec.per_step().ok() }
    }

    /// What lies before the axis goes with the batch.
    fn channels(&self, cx: &LayerContext) -> Channels {
        let x = cx.input_shape(0);
        let axis = self.axis_of(&x);
        Channels { channels: x.dim(axis), inner: axis::row(&x, axis) / x.dim(axis) }
    }
}

/// One over each deviation, and as many zeros.
fn scales<'a>(cx: &'a mut LayerContext) -> (&'a [f32], &'a [f32]) {
    let std = cx.param(1);
    let (scale, zeros) = cx.scratch.split_at_mut(std.len());
    for (scale, &std) in scale.iter_mut().zip(std) {
        // One over the smallest deviations is more than there is; `divide` is for these.
        *scale = if std == 0.0 { 1.0 } else { (1.0 / std).clamp(f32::MIN, f32::MAX) };
    }
    let zeros = &mut zeros[..std.len()];
    zeros.fill(0.0);
    (scale, zeros)
}

/// Divides by deviations so small that one over them is no number of 32 bits.
fn divide(lay: Channels, x: &[f32], [mean, std]: [&[f32]; 2], floor: f32, y: &mut [f32]) {
    let Channels { channels, inner } = lay;
    let rows = x.chunks_exact(channels * inner).zip(y.chunks_exact_mut(channels * inner));
    for (x, y) in rows {
        for c in (0..channels).filter(|&c| std[c] != 0.0 && std[c].abs() < f32::MIN_POSITIVE) {
            let channel = c * inner..(c + 1) * inner;
            for (x, y) in x[channel.clone()].iter().zip(&mut y[channel]) {
                let value = ((f64::from(*x) - f64::from(mean[c])) / f64::from(std[c])) as f32;
                *y = if value < floor { floor } else { value };
            }
        }
    }
}

impl Layer for Normalization {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let (isa, floor, lay, figures) = (cx.isa, cx.floor(), self.channels(cx), [cx.param(0), cx.param(1)]);
        let (scale, zeros) = scales(cx);
        scale_channels(isa, lay, x, [figures[0], scale, zeros], floor, y);
        if figures[1].iter().any(|std| *std != 0.0 && std.abs() < f32::MIN_POSITIVE) {
            divide(lay, x, figures, floor, y);
        }
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
            let (isa, lay) = (cx.isa, self.channels(cx));
            let (scale, zeros) = scales(cx);
            channels_backward(isa, lay, dy, dy, [zeros, scale, zeros, zeros], dx);
        }
    }

    /// What is set from the data is not learnt.
    fn backward_params(&self, _: &mut ReadContext, _: [&[f32]; 1], _: [&[f32]; 1], _: ParamGrad) {}
}
