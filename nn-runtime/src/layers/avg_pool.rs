//! `AvgPool2d` and `AvgPool1d`: the mean of each window. In: `[channels, height, width]`, `[steps,
//! features]`; out: the same with fewer places. Nothing is kept: gradients are spread as the means were
//! taken.

use super::pool::{Asked, Pooled, pooled_arguments, pooled_arguments_of_steps, spec};
use super::window::Padding;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::OnnxForm;
use nn_kernels::pool::{Pool, avg_pool, avg_pool_backward};

/// The mean of each window: `y[c, i, j] = Σ_k Σ_l x[c, i · stride + k - pad, j · stride + l - pad] /
/// kernel²`, `[channels, height, width] -> [channels, h, w]`; beyond the border `x` is 0, and with
/// `count_include_pad = false` is not counted.
///
/// Height and width of the output are those of [`MaxPool2d`](super::MaxPool2d). A window that stands by
/// `ceil_mode` is divided by what it sees of the image and its padding, nothing beyond.
///
/// | argument | here | PyTorch's `AvgPool2d` | Keras's `AveragePooling2D` |
/// |---|---|---|---|
/// | `kernel`, or `kernel_hw = [h, w]` | must be given | `kernel_size` | `pool_size` |
/// | `stride`, `stride_hw` | the kernel's | `stride=kernel_size` | `strides=pool_size` |
/// | `padding`: `Valid`, `Same`, `Pad(n)` up to half the kernel | `Valid` | `padding=0` | `"valid"`, or `"same"` |
/// | `count_include_pad` | `true` | `count_include_pad=True` | never counted |
/// | `ceil_mode` | `false` | `ceil_mode=False` | |
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Means: [1, 2, 4] -> [1, 1, 2] { AvgPool2d(2) }
/// }
/// assert_eq!(Means::init(0).predictor(1).predict(&[1.0, 2.0, 5.0, 0.0, 4.0, 3.0, 6.0, 7.0]), &[2.5, 4.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AvgPool2d {
    pooled: Pooled<2>,
    count_include_pad: bool,
}

/// The mean of each feature within each window of steps: `y[s, f] = Σ_k x[s · stride + k - pad, f] / kernel`,
/// `[steps, features] -> [steps', features]`; beyond the ends `x` is 0, and with `count_include_pad = false`
/// is not counted.
///
/// The steps of the output are those of [`MaxPool1d`](super::MaxPool1d). A window that stands by `ceil_mode`
/// is divided by what it sees of the sequence and its padding, nothing beyond.
///
/// | argument | here | PyTorch's `AvgPool1d` | Keras's `AveragePooling1D` |
/// |---|---|---|---|
/// | shapes | `[steps, features]` | `[features, steps]` | `[steps, features]` |
/// | `kernel` | must be given | `kernel_size` | `pool_size` |
/// | `stride` | the kernel's | `stride=kernel_size` | `strides=pool_size` |
/// | `padding`: `Valid`, `Same`, `Pad(n)` up to half the kernel | `Valid` | `padding=0` | `"valid"`, or `"same"` |
/// | `count_include_pad` | `true` | `count_include_pad=True` | never counted |
/// | `ceil_mode` | `false` | `ceil_mode=False` | |
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Means: [3, 1] -> [2, 1] { AvgPool1d(2, padding = Same, count_include_pad = false) }
/// }
/// assert_eq!(Means::init(0).predictor(1).predict(&[1.0, 2.0, 5.0]), &[1.5, 5.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AvgPool1d {
    pooled: Pooled<1>,
    count_include_pad: bool,
}

pooled_arguments!(AvgPool2d);
pooled_arguments_of_steps!(AvgPool1d);

/// A mean has no gaps.
const fn plain(asked: Asked) -> Pool {
    match asked {
        Asked::Plain(pool) => pool,
        Asked::Uneven(_) => unreachable!(),
    }
}

/// The layer around the kernel, which is the same over images and sequences.
macro_rules! averaging {
    ($name:ident, $window:literal, $shapes:literal) => {
        impl $name {
            #[doc = $window]
            pub const fn new(kernel: usize) -> Self {
                $name { pooled: Pooled::new(kernel), count_include_pad: true }
            }

            /// Whether padding counts as zeros in a mean.
            pub const fn count_include_pad(mut self, counts: bool) -> Self {
                self.count_include_pad = counts;
                self
            }

            #[doc = $shapes]
            pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
                match self.pooled.pool(x) {
                    Ok(asked) => spec(&asked).onnx(OnnxForm::AvgPool(plain(asked), self.count_include_pad)).ok(),
                    Err(fault) => Rule::Err(fault),
                }
            }
        }

        impl Layer for $name {
            fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
                let pool = plain(Asked::planned(cx.spec));
                avg_pool(cx.isa, pool, self.count_include_pad, x, y);
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
                    let pool = plain(Asked::planned(cx.spec));
                    avg_pool_backward(cx.isa, pool, self.count_include_pad, dy, dx);
                }
            }
        }
    };
}

averaging!(AvgPool2d, "A square window of this side.", "`[channels, height, width] -> [channels, h, w]`");
averaging!(AvgPool1d, "A window of so many steps.", "`[steps, features] -> [steps', features]`");
