//! `ConvTranspose1d`: every step of the input laid down as a kernel, side by side. In: `[steps,
//! features]`; out: `[steps', filters]`, longer by the stride. It is the way back of a convolution, by the
//! same kernels.

use super::conv::{Learnt, fans, learnt_arguments, spec};
use super::conv_transpose2d::{Transposed, layer_of_a_transposed_convolution};
use super::image::sequence;
use super::window::{Padding, Window};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::shape::Shape;
use crate::spec::OnnxForm;
use nn_kernels::conv::Conv;

/// Transposed convolution over steps: `y[s · stride + k · dilation - pad, f] += weight[c, f, k] · x[s, c]`
/// over all `c`, `s` and `k`, plus `bias[f]`: `[steps, features] -> [steps', filters]`.
///
/// `steps' = (steps - 1) · stride + dilation · (kernel - 1) + 1 - 2 · pad + output_padding`; with `padding =
/// Same`, `steps · stride`.
///
/// | argument | here | PyTorch's `ConvTranspose1d` | Keras's `Conv1DTranspose` |
/// |---|---|---|---|
/// | shapes | `[steps, features]` | `[features, steps]` | `[steps, features]` |
/// | `filters` | must be given | `out_channels` | `filters` |
/// | `kernel` | must be given | `kernel_size` | `kernel_size` |
/// | `stride` | `1` | `stride=1` | `strides=1` |
/// | `padding`, cut off the output: `Valid`, `Same`, `Pad(n)` | `Valid` | `padding=0` | `"valid"`, or `"same"` |
/// | `output_padding`, below the stride | `0` | `output_padding=0`, below stride or dilation | `output_padding=None` |
/// | `dilation` | `1` | `dilation=1` | `dilation_rate=1` |
/// | `groups` | `1` | `groups=1` | none |
/// | `bias` | `true` | `bias=True` | `use_bias=True` |
/// | `init` (of the weight) | `GlorotUniform` | uniform in ±1/√fan_in | `"glorot_uniform"` |
/// | `bias_init` | `Zeros` | uniform in ±1/√fan_in | `"zeros"` |
///
/// Parameters: `weight`, `[features, filters / groups, kernel]`, and `bias`, `[filters]`. Of what `Same` cuts
/// off, an odd step is the last one.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Twice: [2, 1] -> [4, 1] { ConvTranspose1d(1, 2, stride = 2, init = Constant(1.0)) }
/// }
/// assert_eq!(Twice::init(0).predictor(1).predict(&[1.0, 2.0]), &[1.0, 1.0, 2.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ConvTranspose1d {
    filters: usize,
    window: Window<1>,
    output_padding: usize,
    groups: usize,
    learnt: Learnt,
}

learnt_arguments!(ConvTranspose1d);
layer_of_a_transposed_convolution!(ConvTranspose1d);

impl ConvTranspose1d {
    /// This many features of the output, each step of the input a kernel of so many steps.
    pub const fn new(filters: usize, kernel: usize) -> Self {
        ConvTranspose1d { filters, window: Window::new(kernel), output_padding: 0, groups: 1, learnt: Learnt::new() }
    }

    /// How far apart the kernels of neighbouring steps lie.
    pub const fn stride(mut self, stride: usize) -> Self {
        self.window.stride = [stride];
        self
    }

    /// How far apart the steps of a kernel lie.
    pub const fn dilation(mut self, dilation: usize) -> Self {
        self.window.dilation = [dilation];
        self
    }

    /// What is cut off at both ends.
    pub const fn padding(mut self, padding: Padding) -> Self {
        self.window.padding = padding;
        self
    }

    /// How many steps the output has more than the kernels reach; below the stride.
    pub const fn output_padding(mut self, steps: usize) -> Self {
        self.output_padding = steps;
        self
    }

    /// In how many groups features and filters stand side by side; a filter takes from the features of its
    /// group only.
    pub const fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// `[steps, features] -> [steps', filters]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let back = match self.back(x) {
            Ok(back) => back,
            Err(fault) => return Rule::Err(fault),
        };
        let weight = Shape::of([back.filters, self.filters / self.groups, back.kernel[1]]);
        // What goes into a filter of the convolution back comes out of this layer's.
        let [fan_out, fan_in] = fans(&back);
        let y = Shape::of([back.width, self.filters]);
        spec(y, &back, &self.learnt, weight, [fan_in, fan_out], self.filters).onnx(OnnxForm::ConvTranspose(back)).ok()
    }

    /// The convolution that leads back from the output to the input.
    const fn back(&self, x: Shape) -> Result<Conv, Fault> {
        match sequence(x) {
            Ok([steps, features]) => {
                let transposed = Transposed { window: &self.window, output_padding: self.output_padding };
                transposed.back(features, [steps], self.filters, self.groups)
            }
            Err(fault) => Err(fault),
        }
    }
}
