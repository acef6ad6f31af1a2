//! `Conv1d`: filters that see a window of steps, with all their features. In: `[steps, features]`; out: `[steps, filters]` of the
//! places the window stands on. It is the convolution of an image of one row, and nothing else.

use super::conv::{Learnt, conv, facts, layer_of_a_convolution, learnt_arguments};
use super::image::sequence;
use super::window::{Padding, Window};
use crate::facts::Rule;
use crate::fault::Fault;
use crate::init::Init;
use crate::kernels::conv::Conv;
use crate::shape::Shape;

/// Convolution over sequences: `y[s, f] = Σ_c Σ_k weight[f, c, k] · x[s · stride + k · dilation - pad, c] + bias[f]`,
/// `[steps, features] -> [steps', filters]`; before the first step and after the last `x` is 0.
///
/// With `pads` zeros in total, `steps' = (steps + pads - dilation · (kernel - 1) - 1) / stride + 1`, rounded down; with
/// `padding = Same` or `Causal` that is `steps / stride`, rounded up.
///
/// | argument | here | PyTorch's `Conv1d` | Keras's `Conv1D` |
/// |---|---|---|---|
/// | shapes | `[steps, features]` | `[features, steps]` | `[steps, features]` |
/// | `filters` | must be given | `out_channels` | `filters` |
/// | `kernel` | must be given | `kernel_size` | `kernel_size` |
/// | `stride` | `1` | `stride=1` | `strides=1` |
/// | `padding`: `Valid`, `Same`, `Pad(n)`, `Causal` | `Valid` | `padding=0`; `"same"` at stride 1 only | `"valid"`, `"same"` or `"causal"` |
/// | `dilation` | `1` | `dilation=1` | `dilation_rate=1`; not with a stride |
/// | `groups`, of features that filters share | `1` | `groups=1` | `groups=1` |
/// | `bias` | `true` | `bias=True` | `use_bias=True` |
/// | `init` (of the weight) | `GlorotUniform` | uniform in ±1/√fan_in | `"glorot_uniform"` |
/// | `bias_init` | `Zeros` | uniform in ±1/√fan_in | `"zeros"` |
///
/// Parameters: `weight`, `[filters, features / groups, kernel]`, and `bias`, `[filters]`. With `Causal` no output sees a later step;
/// van den Oord et al., "WaveNet: A Generative Model for Raw Audio", 2016.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Steps: [4, 1] -> [4, 1] { Conv1d(1, 2, padding = Causal, init = Constant(1.0)) }
/// }
/// assert_eq!(Steps::init(0).predictor(1).predict(&[1.0, 2.0, 3.0, 4.0]), &[1.0, 3.0, 5.0, 7.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Conv1d {
    filters: usize,
    window: Window<1>,
    groups: usize,
    learnt: Learnt,
}

learnt_arguments!(Conv1d);
layer_of_a_convolution!(Conv1d);

impl Conv1d {
    /// This many filters, each with a kernel of so many steps.
    pub const fn new(filters: usize, kernel: usize) -> Self {
        Conv1d { filters, window: Window::new(kernel), groups: 1, learnt: Learnt::new() }
    }

    /// How many steps the kernel moves at a time.
    pub const fn stride(mut self, stride: usize) -> Self {
        self.window.stride = [stride];
        self
    }

    /// How far apart the steps are that neighbours in the kernel see.
    pub const fn dilation(mut self, dilation: usize) -> Self {
        self.window.dilation = [dilation];
        self
    }

    /// What is put before the first step and after the last.
    pub const fn padding(mut self, padding: Padding) -> Self {
        self.window.padding = padding;
        self
    }

    /// In how many groups features and filters stand side by side; a filter sees the features of its group only.
    pub const fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// `[steps, features] -> [steps', filters]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let conv = match self.conv(x) {
            Ok(conv) => conv,
            Err(fault) => return Rule::Err(fault),
        };
        let y = Shape::of([conv.output()[1], self.filters]);
        let weight = Shape::of([self.filters, conv.channels / conv.groups, conv.kernel[1]]);
        facts(y, &conv, &self.learnt, weight, self.filters).ok()
    }

    const fn conv(&self, x: Shape) -> Result<Conv, Fault> {
        match sequence(x) {
            Ok([steps, features]) => conv(&self.window, features, [steps], self.filters, self.groups),
            Err(fault) => Err(fault),
        }
    }
}
