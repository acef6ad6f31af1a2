//! `ConvTranspose2d`: every pixel of the input laid down as a kernel, side by side. In: `[channels, height,
//! width]`; out: `[filters, height, width]`, larger by the stride. It is the way back of a convolution, by
//! the same kernels.

use super::conv::{Learnt, describe, fans, fault, learnt_arguments, spec};
use super::image::image;
use super::window::{Padding, Stand, Window, not_causal, window_arguments};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::limits::MAX_LEN;
use crate::shape::Shape;
use crate::spec::OnnxForm;
use nn_kernels::conv::Conv;

/// The passes of a layer whose rule says of which convolution it is the way back.
macro_rules! layer_of_a_transposed_convolution {
    ($name:ident) => {
        impl $crate::layer::Layer for $name {
            fn forward(&self, cx: &mut $crate::layer::LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
                let back = cx.spec.planned_conv();
                let (w, bias) = (cx.param(0), super::conv::bias(cx, &self.learnt, 1));
                let filters = nn_kernels::conv::FilterBank { w, bias, floor: cx.floor() };
                nn_kernels::conv::transposed(cx.isa, back, x, filters, y, cx.scratch);
            }

            fn backward_input(
                &self,
                cx: &mut $crate::layer::LayerContext,
                _: [&[f32]; 1],
                _: [&[f32]; 1],
                [dy]: [&[f32]; 1],
                [dx]: [&mut [f32]; 1],
            ) {
                if !dx.is_empty() {
                    let back = cx.spec.planned_conv();
                    let filters = nn_kernels::conv::FilterBank::new(cx.param(0));
                    nn_kernels::conv::forward(cx.isa, back, dy, filters, dx, cx.scratch);
                }
            }

            fn backward_params(
                &self,
                cx: &mut $crate::layer::ReadContext,
                [x]: [&[f32]; 1],
                [dy]: [&[f32]; 1],
                mut grad: $crate::layer::ParamGrad,
            ) {
                let back = cx.spec.planned_conv();
                super::conv::pull_weight(cx, 0, (back, nn_kernels::conv::backward_weight), [dy, x], &mut grad);
                if self.learnt.bias {
                    let sums = super::conv_transpose2d::output_of(back);
                    super::conv::pull_bias_of(cx, 1, (sums, nn_kernels::conv::backward_bias), dy, &mut grad);
                }
            }
        }
    };
}
pub(super) use layer_of_a_transposed_convolution;

/// Transposed convolution: `y[f, i · stride + k · dilation - pad, j · …] += weight[c, f, k, l] · x[c, i, j]`
/// over all `c`, `i`, `j`, `k` and `l`, plus `bias[f]`: `[channels, height, width] -> [filters, h, w]`.
///
/// `h = (height - 1) · stride + dilation · (kernel - 1) + 1 - 2 · pad + output_padding`; with `padding =
/// Same`, `height · stride`.
///
/// | argument | here | PyTorch's `ConvTranspose2d` | Keras's `Conv2DTranspose` |
/// |---|---|---|---|
/// | `filters` | must be given | `out_channels` | `filters` |
/// | `kernel`, or `kernel_hw = [h, w]` | must be given | `kernel_size` | `kernel_size` |
/// | `stride`, `stride_hw` | `1` | `stride=1` | `strides=1` |
/// | `padding`, cut off the output: `Valid`, `Same`, `Pad(n)` | `Valid` | `padding=0` | `"valid"`, or `"same"` |
/// | `output_padding`, below the stride | `0` | `output_padding=0`, below stride or dilation | `output_padding=None` |
/// | `dilation`, `dilation_hw` | `1` | `dilation=1` | `dilation_rate=1` |
/// | `groups` | `1` | `groups=1` | none |
/// | `bias` | `true` | `bias=True` | `use_bias=True` |
/// | `init` (of the weight) | `GlorotUniform` | uniform in ±1/√fan_in | `"glorot_uniform"` |
/// | `bias_init` | `Zeros` | uniform in ±1/√fan_in | `"zeros"` |
///
/// Parameters: `weight`, `[channels, filters / groups, kernel, kernel]`, and `bias`, `[filters]`. Of what
/// `Same` cuts off, an odd row or column is the last one's. Where Keras's `"valid"` gives `height · stride`
/// for a kernel smaller than the stride, here `output_padding` or `Same` does. Zeiler et al.,
/// "Deconvolutional Networks", 2010.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Twice: [1, 1, 2] -> [1, 2, 4] { ConvTranspose2d(1, 2, stride = 2, init = Constant(1.0)) }
/// }
/// assert_eq!(Twice::init(0).predictor(1).predict(&[1.0, 2.0]), &[1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ConvTranspose2d {
    filters: usize,
    window: Window<2>,
    output_padding: usize,
    groups: usize,
    learnt: Learnt,
}

window_arguments!(ConvTranspose2d);
learnt_arguments!(ConvTranspose2d);
layer_of_a_transposed_convolution!(ConvTranspose2d);

impl ConvTranspose2d {
    /// This many channels of the output, each pixel of the input a square kernel of this side.
    pub const fn new(filters: usize, kernel: usize) -> Self {
        ConvTranspose2d { filters, window: Window::new(kernel), output_padding: 0, groups: 1, learnt: Learnt::new() }
    }

    /// How many rows and columns the output has more than the kernels reach; below the stride.
    pub const fn output_padding(mut self, pixels: usize) -> Self {
        self.output_padding = pixels;
        self
    }

    /// In how many groups channels and filters stand side by side; a filter takes from the channels of its
    /// group only.
    pub const fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// `[channels, height, width] -> [filters, h, w]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let back = match self.back(x) {
            Ok(back) => back,
            Err(fault) => return Rule::Err(fault),
        };
        let [rows, columns] = back.kernel;
        let weight = Shape::of([back.filters, self.filters / self.groups, rows, columns]);
        // What goes into a filter of the convolution back comes out of this layer's.
        let [fan_out, fan_in] = fans(&back);
        let y = Shape::of([self.filters, back.height, back.width]);
        spec(y, &back, &self.learnt, weight, [fan_in, fan_out], self.filters).onnx(OnnxForm::ConvTranspose(back)).ok()
    }

    /// The convolution that leads back from the output to the input.
    const fn back(&self, x: Shape) -> Result<Conv, Fault> {
        match image(x) {
            Ok([channels, height, width]) => {
                let transposed = Transposed { window: &self.window, output_padding: self.output_padding };
                transposed.back(channels, [height, width], self.filters, self.groups)
            }
            Err(fault) => Err(fault),
        }
    }
}

/// The window of a transposed convolution, and how much longer its output is.
pub(super) struct Transposed<'a, const D: usize> {
    pub(super) window: &'a Window<D>,
    pub(super) output_padding: usize,
}

impl<const D: usize> Transposed<'_, D> {
    const PLACES: &'static str = if D == 1 { " steps" } else { " pixels along one axis" };

    /// The convolution that leads back from the output to an input of these sizes.
    pub(super) const fn back(
        &self,
        channels: usize,
        sizes: [usize; D],
        filters: usize,
        groups: usize,
    ) -> Result<Conv, Fault> {
        if let Some(fault) = fault(channels, filters, groups) {
            return Err(fault);
        }
        if let Some(fault) = self.window.fault() {
            return Err(fault);
        }
        let (mut larger, mut stands) = ([0; D], [Stand { out: 0, before: 0, after: 0 }; D]);
        let mut axis = 0;
        while axis < D {
            match self.along(axis, sizes[axis]) {
                Ok((large, [before, after])) => {
                    larger[axis] = large;
                    stands[axis] = Stand { out: sizes[axis], before, after };
                }
                Err(fault) => return Err(fault),
            }
            axis += 1;
        }
        describe(self.window, filters, larger, channels, groups, stands)
    }

    /// The size of the output, and what is cut off it before and after.
    const fn along(&self, axis: usize, size: usize) -> Result<(usize, [usize; 2]), Fault> {
        let stride = self.window.stride[axis];
        let full = (size - 1).saturating_mul(stride).saturating_add(self.window.extent(axis));
        if full > MAX_LEN {
            let fault = Fault::expected("a kernel, stride and dilation that fit into memory, found an output of ");
            return Err(fault.num(full).str(Self::PLACES).help("use smaller numbers"));
        }
        if self.output_padding >= stride {
            let fault = Fault::expected("an output padding below the stride, ").num(stride);
            return Err(fault
                .found_num(self.output_padding)
                .help("use `output_padding = ")
                .num(stride - 1)
                .str("` or less"));
        }
        let zeros = match self.window.padding {
            Padding::Same => {
                if self.output_padding > 0 {
                    let fault =
                        Fault::expected("no output padding beside `padding = Same`, which gives input · stride");
                    return Err(fault.found_num(self.output_padding).help("leave `output_padding` out"));
                }
                let zeros = full.saturating_sub(size * stride);
                return Ok((size * stride, [zeros / 2, zeros - zeros / 2]));
            }
            Padding::Pad(zeros) => zeros,
            Padding::Valid => 0,
            Padding::Causal => return Err(not_causal()),
        };
        let full = full + self.output_padding;
        if zeros.saturating_mul(2) >= full {
            let fault = Fault::expected("padding that leaves something of ").num(full);
            let fault = fault.str(Self::PLACES).found_num(zeros).str(" on both sides");
            return Err(fault.help("use `padding = Pad(").num((full - 1) / 2).str(")` or less"));
        }
        Ok((full - 2 * zeros, [zeros, zeros]))
    }
}

/// A convolution whose output is the input of `back`, for what is summed over that alone.
pub(super) fn output_of(back: Conv) -> Conv {
    let sums = Conv::new([1, back.height, back.width], back.channels, [1, 1]);
    Conv { channels_last: back.channels_last, ..sums }
}
