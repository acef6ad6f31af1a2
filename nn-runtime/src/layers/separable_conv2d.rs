//! `SeparableConv2d`: filters along the image for each channel, then across the channels for each pixel. In:
//! `[channels, height, width]`; out: `[filters, height, width]`. What lies between the two is kept for the
//! backward methods, and its gradient with it.

use super::conv::{Learnt, bias, conv, fans, learnt_arguments, pull_bias_of, pull_weight};
use super::depthwise_conv2d::depthwise;
use super::window::{Padding, Window, accepted, window_arguments};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm};
use nn_kernels::conv::{Conv, FilterBank, backward_bias, backward_input, backward_weight, forward};

/// A [`DepthwiseConv2d`](super::DepthwiseConv2d) without bias, then a [`Conv2d`](super::Conv2d) with a kernel
/// of 1: `[channels, height, width] -> [channels · multiplier, h, w] -> [filters, h, w]`.
///
/// `y[f, i, j] = Σ_m pointwise[f, m] · d[m, i, j] + bias[f]`, where with `m = c · multiplier + q`
/// `d[m, i, j] = Σ_k Σ_l depthwise[m, 0, k, l] · x[c, i · stride + k · dilation - pad, j · …]`.
///
/// | argument | here | PyTorch | Keras's `SeparableConv2D` |
/// |---|---|---|---|
/// | `filters` | must be given | two layers | `filters` |
/// | `kernel`, or `kernel_hw = [h, w]` | must be given | | `kernel_size` |
/// | `multiplier` | `1` | | `depth_multiplier=1` |
/// | `stride`, `stride_hw` | `1` | | `strides=1` |
/// | `padding`: `Valid`, `Same`, `Pad(n)` | `Valid` | | `"valid"`, or `"same"` |
/// | `dilation`, `dilation_hw` | `1` | | `dilation_rate=1` |
/// | `bias` | `true` | | `use_bias=True` |
/// | `init` (of both weights) | `GlorotUniform`, by what one number is computed from | | `"glorot_uniform"`, depthwise by a fan in of kernel² · channels |
/// | `bias_init` | `Zeros` | | `"zeros"` |
///
/// Parameters: `depthwise.weight`, `[channels · multiplier, 1, kernel, kernel]`, `pointwise.weight`,
/// `[filters, channels · multiplier, 1, 1]`, and `pointwise.bias`, `[filters]`. Chollet, "Xception: Deep
/// Learning with Depthwise Separable Convolutions", 2017.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Sums: [2, 1, 3] -> [1, 1, 2] {
///         SeparableConv2d(1, 1, kernel_hw = [1, 2], init = Constant(1.0))
///     }
/// }
/// assert_eq!(Sums::init(0).predictor(1).predict(&[1.0, 2.0, 3.0, 10.0, 20.0, 30.0]), &[33.0, 55.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SeparableConv2d {
    filters: usize,
    window: Window<2>,
    multiplier: usize,
    learnt: Learnt,
}

window_arguments!(SeparableConv2d);
learnt_arguments!(SeparableConv2d);

impl SeparableConv2d {
    /// This many filters, after a square kernel of this side for each channel.
    pub const fn new(filters: usize, kernel: usize) -> Self {
        SeparableConv2d { filters, window: Window::new(kernel), multiplier: 1, learnt: Learnt::new() }
    }

    /// How many kernels see each channel.
    pub const fn multiplier(mut self, multiplier: usize) -> Self {
        self.multiplier = multiplier;
        self
    }

    /// `[channels, height, width] -> [filters, h, w]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let [along, across] = match self.convs(x) {
            Ok(convs) => convs,
            Err(fault) => return Rule::Err(fault),
        };
        let [height, width] = across.output();
        let [rows, columns] = along.kernel;
        let middle = along.y_len();
        let scratch = if along.scratch() > across.scratch() { along.scratch() } else { across.scratch() };
        let macs = middle.saturating_mul(along.rows());
        let [depthwise_in, depthwise_out] = fans(&along);
        let spec = LayerSpec::output(Shape::of([self.filters, height, width]))
            .computes()
            .filters("depthwise.weight", Shape::of([along.filters, 1, rows, columns]), self.learnt.init)
            .fans(depthwise_in, depthwise_out)
            .filters("pointwise.weight", Shape::of([self.filters, along.filters, 1, 1]), self.learnt.init)
            .saves(2 * middle)
            .scratch(0, middle + scratch)
            .macs(macs.saturating_add(across.y_len().saturating_mul(along.filters)))
            .accepts_elementwise()
            .backward_without_x()
            .backward_input_first()
            .onnx(OnnxForm::Separable(along));
        match self.learnt.bias {
            true => spec.param("pointwise.bias", Shape::of([self.filters]), self.learnt.bias_init).ok(),
            false => spec.ok(),
        }
    }

    /// Along the image, and across its channels.
    const fn convs(&self, x: Shape) -> Result<[Conv; 2], Fault> {
        let along = match depthwise(&self.window, self.multiplier, x) {
            Ok(conv) => conv,
            Err(fault) => return Err(fault),
        };
        match conv(&Window::<2>::new(1), along.filters, along.output(), self.filters, 1) {
            Ok(across) => Ok([along, across]),
            Err(fault) => Err(fault),
        }
    }
}

/// What lies between the two convolutions, and its gradient: `[batch, middle]` each.
fn kept(saved: &mut [f32], middle: usize, batch: usize) -> [&mut [f32]; 2] {
    let (values, gradients) = saved.split_at_mut(middle * batch);
    [values, &mut gradients[..middle * batch]]
}

impl Layer for SeparableConv2d {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let [along, across] = accepted(self.convs(cx.input_shape(0)));
        let (isa, floor, bias) = (cx.isa, cx.floor(), bias(cx, &self.learnt, 2));
        let weights = [cx.param(0), cx.param(1)];
        let (spare, scratch) = cx.scratch.split_at_mut(along.y_len());
        for (i, (x, y)) in x.chunks_exact(along.x_len()).zip(y.chunks_exact_mut(across.y_len())).enumerate() {
            // Where nothing is kept, one sample's place does for all.
            let middle = match cx.saved.is_empty() {
                true => &mut *spare,
                false => &mut cx.saved[i * along.y_len()..][..along.y_len()],
            };
            forward(isa, along, x, FilterBank::new(weights[0]), middle, scratch);
            forward(isa, across, middle, FilterBank { w: weights[1], bias, floor }, y, scratch);
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
        let [along, across] = accepted(self.convs(cx.input_shape(0)));
        let (isa, weights) = (cx.isa, [cx.param(0), cx.param(1)]);
        let [_, dmiddle] = kept(cx.saved, along.y_len(), cx.batch);
        backward_input(isa, across, dy, weights[1], dmiddle, cx.scratch);
        if !dx.is_empty() {
            backward_input(isa, along, dmiddle, weights[0], dx, cx.scratch);
        }
    }

    fn backward_params(&self, cx: &mut ReadContext, [x]: [&[f32]; 1], [dy]: [&[f32]; 1], mut grad: ParamGrad) {
        let [along, across] = accepted(self.convs(cx.input_shape(0)));
        let (middle, gradients) = cx.saved.split_at(along.y_len() * cx.batch);
        let dmiddle = &gradients[..middle.len()];
        pull_weight(cx, 0, (along, backward_weight), [x, dmiddle], &mut grad);
        pull_weight(cx, 1, (across, backward_weight), [middle, dy], &mut grad);
        if self.learnt.bias {
            pull_bias_of(cx, 2, (across, backward_bias), dy, &mut grad);
        }
    }
}
