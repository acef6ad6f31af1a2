//! `Conv2d`: filters that see a window of every channel. In: `[channels, height, width]`; out: `[filters,
//! height, width]` of the places the window stands on. The sums themselves are the kernels'.

use super::conv::{Learnt, conv, fans, layer_of_a_convolution, learnt_arguments, spec};
use super::image::image;
use super::window::{Padding, Window, window_arguments};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::shape::Shape;
use nn_kernels::conv::Conv;

/// Convolution over images: `y[f, i, j] = Σ_c Σ_k Σ_l weight[f, c, k, l] · x[c, i · stride + k · dilation -
/// pad, j · …] + bias[f]`, `[channels, height, width] -> [filters, h, w]`; beyond the border `x` is 0.
///
/// With `pads` zeros in total along an axis, `h = (height + pads - dilation · (kernel - 1) - 1) / stride +
/// 1`, rounded down; with `padding = Same` that is `height / stride`, rounded up.
///
/// | argument | here | PyTorch's `Conv2d` | Keras's `Conv2D` |
/// |---|---|---|---|
/// | `filters` | must be given | `out_channels` | `filters` |
/// | `kernel`, or `kernel_hw = [h, w]` | must be given | `kernel_size` | `kernel_size` |
/// | `stride`, `stride_hw` | `1` | `stride=1` | `strides=1` |
/// | `padding`: `Valid`, `Same`, `Pad(n)` | `Valid` | `padding=0`; `"same"` at stride 1 only | `"valid"`, or `"same"` |
/// | `dilation`, `dilation_hw` | `1` | `dilation=1` | `dilation_rate=1`; not with a stride |
/// | `groups`, of channels that filters share | `1` | `groups=1` | `groups=1` |
/// | `bias` | `true` | `bias=True` | `use_bias=True` |
/// | `init` (of the weight) | `GlorotUniform` | uniform in ±1/√fan_in | `"glorot_uniform"` |
/// | `bias_init` | `Zeros` | uniform in ±1/√fan_in | `"zeros"` |
///
/// PyTorch's `padding_mode` is a layer before it: [`ReflectionPad2d`](super::ReflectionPad2d),
/// [`ReplicationPad2d`](super::ReplicationPad2d) or [`CircularPad2d`](super::CircularPad2d).
///
/// Parameters: `weight`, `[filters, channels / groups, kernel, kernel]`, and `bias`, `[filters]`. Of the
/// zeros of `Same` an odd one stands at the end, as in Keras. LeCun et al., "Gradient-Based Learning Applied
/// to Document Recognition", 1998.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Sums: [1, 2, 3] -> [1, 1, 2] { Conv2d(1, 2, init = Constant(1.0)) }
/// }
/// assert_eq!(Sums::init(0).predictor(1).predict(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), &[12.0, 16.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Conv2d {
    filters: usize,
    window: Window<2>,
    groups: usize,
    learnt: Learnt,
}

window_arguments!(Conv2d);
learnt_arguments!(Conv2d);
layer_of_a_convolution!(Conv2d);

impl Conv2d {
    /// This many filters, each with a square kernel of this side.
    pub const fn new(filters: usize, kernel: usize) -> Self {
        Conv2d { filters, window: Window::new(kernel), groups: 1, learnt: Learnt::new() }
    }

    /// In how many groups channels and filters stand side by side; a filter sees the channels of its group
    /// only.
    pub const fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// `[channels, height, width] -> [filters, h, w]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let conv = match self.conv(x) {
            Ok(conv) => conv,
            Err(fault) => return Rule::Err(fault),
        };
        let [height, width] = conv.output();
        let [rows, columns] = conv.kernel;
        let weight = Shape::of([self.filters, conv.channels / conv.groups, rows, columns]);
        let spec =
            spec(Shape::of([self.filters, height, width]), &conv, &self.learnt, weight, fans(&conv), self.filters);
        let spec = spec.convolves(conv);
        if conv.can_fuse_max_pool() { spec.accepts_max_pool(conv).ok() } else { spec.ok() }
    }

    const fn conv(&self, x: Shape) -> Result<Conv, Fault> {
        match image(x) {
            Ok([channels, height, width]) => match self.window.channels_last([channels, height, width]) {
                Some(fault) => Err(fault),
                None => conv(&self.window, channels, [height, width], self.filters, self.groups),
            },
            Err(fault) => Err(fault),
        }
    }
}
