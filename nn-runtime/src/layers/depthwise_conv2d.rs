//! `DepthwiseConv2d`: filters that see one channel each. In: `[channels, height, width]`; out: `[channels ·
//! multiplier, height, width]`. It is the convolution with as many groups as channels, and nothing else.

use super::conv::{Learnt, conv, fans, layer_of_a_convolution, learnt_arguments, spec};
use super::image::image;
use super::window::{Padding, Window, window_arguments};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::shape::Shape;
use nn_kernels::conv::Conv;

/// Convolution of each channel on its own, `multiplier` times: with `f = c · multiplier + q`,
/// `y[f, i, j] = Σ_k Σ_l weight[f, 0, k, l] · x[c, i · stride + k · dilation - pad, j · …] + bias[f]`,
/// `[channels, height, width] -> [channels · multiplier, h, w]`.
///
/// Height and width of the output are those of [`Conv2d`](super::Conv2d).
///
/// | argument | here | PyTorch's `Conv2d` with `groups=channels` | Keras's `DepthwiseConv2D` |
/// |---|---|---|---|
/// | `kernel`, or `kernel_hw = [h, w]` | must be given | `kernel_size` | `kernel_size` |
/// | `multiplier` | `1` | `out_channels / channels` | `depth_multiplier=1` |
/// | `stride`, `stride_hw` | `1` | `stride=1` | `strides=1` |
/// | `padding`: `Valid`, `Same`, `Pad(n)` | `Valid` | `padding=0`; `"same"` at stride 1 only | `"valid"`, or `"same"` |
/// | `dilation`, `dilation_hw` | `1` | `dilation=1` | `dilation_rate=1` |
/// | `bias` | `true` | `bias=True` | `use_bias=True` |
/// | `init` (of the weight) | `GlorotUniform`, by fans of kernel² and kernel² · `multiplier` | uniform in ±1/√fan_in | `"glorot_uniform"`, by a fan in of kernel² · channels |
/// | `bias_init` | `Zeros` | uniform in ±1/√fan_in | `"zeros"` |
///
/// Parameters: `weight`, `[channels · multiplier, 1, kernel, kernel]`, and `bias`, `[channels · multiplier]`.
/// Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications", 2017.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Sums: [2, 1, 3] -> [2, 1, 2] {
///         DepthwiseConv2d(1, kernel_hw = [1, 2], init = Constant(1.0))
///     }
/// }
/// let x = [1.0, 2.0, 3.0, 10.0, 20.0, 30.0];
/// assert_eq!(Sums::init(0).predictor(1).predict(&x), &[3.0, 5.0, 30.0, 50.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DepthwiseConv2d {
    window: Window<2>,
    multiplier: usize,
    learnt: Learnt,
}

window_arguments!(DepthwiseConv2d);
learnt_arguments!(DepthwiseConv2d);
layer_of_a_convolution!(DepthwiseConv2d);

impl DepthwiseConv2d {
    /// One filter for each channel, with a square kernel of this side.
    pub const fn new(kernel: usize) -> Self {
        DepthwiseConv2d { window: Window::new(kernel), multiplier: 1, learnt: Learnt::new() }
    }

    /// How many filters see each channel.
    pub const fn multiplier(mut self, multiplier: usize) -> Self {
        self.multiplier = multiplier;
        self
    }

    /// `[channels, height, width] -> [channels · multiplier, h, w]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let conv = match self.conv(x) {
            Ok(conv) => conv,
            Err(fault) => return Rule::Err(fault),
        };
        let [height, width] = conv.output();
        let [rows, columns] = conv.kernel;
        let weight = Shape::of([conv.filters, 1, rows, columns]);
        let y = Shape::of([conv.filters, height, width]);
        spec(y, &conv, &self.learnt, weight, fans(&conv), conv.filters).convolves(conv).ok()
    }

    const fn conv(&self, x: Shape) -> Result<Conv, Fault> {
        depthwise(&self.window, self.multiplier, x)
    }
}

/// The convolution of each channel on its own.
pub(super) const fn depthwise(window: &Window<2>, multiplier: usize, x: Shape) -> Result<Conv, Fault> {
    if multiplier == 0 {
        let fault = Fault::expected("a multiplier of at least 1").found_num(0);
        return Err(fault.help("use `multiplier = 1`, or leave it out"));
    }
    match image(x) {
        Ok([channels, height, width]) => {
            conv(window, channels, [height, width], channels.saturating_mul(multiplier), channels)
        }
        Err(fault) => Err(fault),
    }
}
