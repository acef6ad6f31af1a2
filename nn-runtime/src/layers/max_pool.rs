//! `MaxPool2d` and `MaxPool1d`: the largest number of each window. In: `[channels, height, width]`, `[steps,
//! features]`; out: the same with fewer places. Where each maximum stood is kept while training, and its
//! gradient goes there.

use super::pool::{Asked, Pooled, pooled_arguments, pooled_arguments_of_steps, spec};
use super::window::Padding;
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::OnnxForm;
use nn_kernels::pool::{Pool, UnevenPool, max_pool, max_pool_backward, uneven_max_pool, uneven_max_pool_backward};

/// The largest number of each window: `y[c, i, j] = max_k max_l x[c, i · stride + k - pad, j · stride + l -
/// pad]`, `[channels, height, width] -> [channels, h, w]`; what is put around the image is never the largest.
///
/// With `pads` in total along an axis, `h = (height + pads - dilation · (kernel - 1) - 1) / stride + 1`,
/// rounded down, and with `ceil_mode` up, but for a window that would begin behind the image; with `padding =
/// Same` that is `height / stride`, rounded up. Of equal numbers the first, row by row, takes the
/// gradient. A `Conv2d` right before it, or before a `Relu` before it, does it on the way where windows are 2
/// or more apart: what they saw has no place in memory then.
///
/// | argument | here | PyTorch's `MaxPool2d` | Keras's `MaxPooling2D` |
/// |---|---|---|---|
/// | `kernel`, or `kernel_hw = [h, w]` | must be given | `kernel_size` | `pool_size=2` |
/// | `stride`, `stride_hw` | the kernel's | `stride=kernel_size` | `strides=pool_size` |
/// | `padding`: `Valid`, `Same`, `Pad(n)` up to half the kernel | `Valid` | `padding=0` | `"valid"`, or `"same"` |
/// | `dilation`, `dilation_hw` | `1` | `dilation=1` | |
/// | `ceil_mode` | `false` | `ceil_mode=False` | |
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Largest: [1, 2, 4] -> [1, 1, 2] { MaxPool2d(2) }
/// }
/// assert_eq!(Largest::init(0).predictor(1).predict(&[1.0, 2.0, 5.0, 0.0, 4.0, 3.0, 6.0, 7.0]), &[4.0, 7.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MaxPool2d {
    pooled: Pooled<2>,
}

/// The largest number of each feature within each window of steps: `y[s, f] = max_k x[s · stride + k - pad,
/// f]`, `[steps, features] -> [steps', features]`; what is put before and after is never the largest.
///
/// With `pads` in total, `steps' = (steps + pads - dilation · (kernel - 1) - 1) / stride + 1`, rounded
/// down, and with `ceil_mode` up, but for a window that would begin behind the last step; with `padding =
/// Same` that is `steps / stride`, rounded up. Of equal numbers the first takes the gradient.
///
/// | argument | here | PyTorch's `MaxPool1d` | Keras's `MaxPooling1D` |
/// |---|---|---|---|
/// | shapes | `[steps, features]` | `[features, steps]` | `[steps, features]` |
/// | `kernel` | must be given | `kernel_size` | `pool_size=2` |
/// | `stride` | the kernel's | `stride=kernel_size` | `strides=pool_size` |
/// | `padding`: `Valid`, `Same`, `Pad(n)` up to half the kernel | `Valid` | `padding=0` | `"valid"`, or `"same"` |
/// | `dilation` | `1` | `dilation=1` | |
/// | `ceil_mode` | `false` | `ceil_mode=False` | |
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Largest: [5, 1] -> [4, 1] { MaxPool1d(2, stride = 1) }
/// }
/// assert_eq!(Largest::init(0).predictor(1).predict(&[1.0, 2.0, 0.0, 5.0, 4.0]), &[2.0, 2.0, 5.0, 5.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MaxPool1d {
    pooled: Pooled<1>,
}

pooled_arguments!(MaxPool2d);
pooled_arguments_of_steps!(MaxPool1d);

impl MaxPool2d {
    /// A square window of this side.
    pub const fn new(kernel: usize) -> Self {
        MaxPool2d { pooled: Pooled::new(kernel) }
    }

    /// How far apart the pixels are that neighbours in the window see.
    pub const fn dilation(mut self, dilation: usize) -> Self {
        self.pooled.dilation = [dilation; 2];
        self
    }

    /// How far apart they are down, and to the right.
    pub const fn dilation_hw(mut self, dilation: [usize; 2]) -> Self {
        self.pooled.dilation = dilation;
        self
    }

    /// `[channels, height, width] -> [channels, h, w]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        rule(self.pooled.pool(x))
    }
}

impl MaxPool1d {
    /// A window of so many steps.
    pub const fn new(kernel: usize) -> Self {
        MaxPool1d { pooled: Pooled::new(kernel) }
    }

    /// How far apart the steps are that neighbours in the window see.
    pub const fn dilation(mut self, dilation: usize) -> Self {
        self.pooled.dilation = [dilation];
        self
    }

    /// `[steps, features] -> [steps', features]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        rule(self.pooled.pool(x))
    }
}

const fn rule(asked: Result<Asked, Fault>) -> Rule {
    match asked {
        Ok(asked @ Asked::Uneven(pool)) => spec(&asked).saves(pool.y_len()).onnx(OnnxForm::UnevenMaxPool(pool)).ok(),
        Ok(asked @ Asked::Plain(pool)) => {
            let spec = spec(&asked).saves(pool.y_len()).onnx(OnnxForm::MaxPool(pool));
            // Where windows lie so close that most inputs are some maximum, a convolution gains nothing by
            // taking them.
            if pool.stride[0] > 1 && pool.stride[1] > 1 { spec.max_pool(pool).ok() } else { spec.ok() }
        }
        Err(fault) => Rule::Err(fault),
    }
}

/// The maxima, and where they stood if anybody will ask.
pub(super) fn forward(cx: &mut LayerContext, pool: Pool, x: &[f32], y: &mut [f32]) {
    let places = if cx.saved.is_empty() { 0 } else { y.len() };
    max_pool(cx.isa, pool, x, y, &mut cx.saved[..places]);
}

pub(super) fn backward(cx: &LayerContext, pool: Pool, dy: &[f32], dx: &mut [f32]) {
    if !dx.is_empty() {
        max_pool_backward(cx.isa, pool, dy, &cx.saved[..dy.len()], dx);
    }
}

/// The same of windows with gaps, or of parts.
pub(super) fn uneven_forward(cx: &mut LayerContext, pool: UnevenPool, x: &[f32], y: &mut [f32]) {
    let places = if cx.saved.is_empty() { 0 } else { y.len() };
    uneven_max_pool(cx.isa, pool, x, y, &mut cx.saved[..places]);
}

pub(super) fn uneven_backward(cx: &LayerContext, pool: UnevenPool, dy: &[f32], dx: &mut [f32]) {
    if !dx.is_empty() {
        uneven_max_pool_backward(cx.isa, pool, dy, &cx.saved[..dy.len()], dx);
    }
}

pub(super) fn asked_forward(cx: &mut LayerContext, asked: Asked, x: &[f32], y: &mut [f32]) {
    match asked {
        Asked::Plain(pool) => forward(cx, pool, x, y),
        Asked::Uneven(pool) => uneven_forward(cx, pool, x, y),
    }
}

pub(super) fn asked_backward(cx: &LayerContext, asked: Asked, dy: &[f32], dx: &mut [f32]) {
    match asked {
        Asked::Plain(pool) => backward(cx, pool, dy, dx),
        Asked::Uneven(pool) => uneven_backward(cx, pool, dy, dx),
    }
}

impl Layer for MaxPool2d {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        asked_forward(cx, Asked::planned(cx.spec), x, y);
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        asked_backward(cx, Asked::planned(cx.spec), dy, dx);
    }
}

impl Layer for MaxPool1d {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        asked_forward(cx, Asked::planned(cx.spec), x, y);
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        asked_backward(cx, Asked::planned(cx.spec), dy, dx);
    }
}
