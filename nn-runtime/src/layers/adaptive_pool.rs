//! Adaptive pools: so many parts of an image or a sequence, whatever its size, and one number of each. In:
//! `[channels, height, width]`, `[steps, features]`; out: the same with as many places as are asked for.
//! Where the parts are all alike each is the window of an ordinary pool.

use super::image::{image, sequence};
use super::max_pool;
use super::pool::{Asked, spec};
use super::window::{accepted, too_large};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::OnnxForm;
use nn_kernels::pool::{Pool, Spacing, UnevenPool, avg_pool, avg_pool_backward, uneven_mean, uneven_mean_backward};

/// The mean of each part of an image: `y[c, i, j]` is that of `x[c, k, l]` over the rows `k` from `i ·
/// height / h`, rounded down, to `(i + 1) · height / h`, rounded up, and such columns `l`; `[channels,
/// height, width] -> [channels, h, w]`.
///
/// Where `h` does not divide the height, parts overlap by a row.
///
/// | argument | here | PyTorch's `AdaptiveAvgPool2d` | Keras's `AdaptiveAveragePooling2D` |
/// |---|---|---|---|
/// | `size`, or `size_hw = [h, w]` | must be given | `output_size` | `output_size` |
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Means: [1, 2, 5] -> [1, 1, 2] { AdaptiveAvgPool2d(1, size_hw = [1, 2]) }
/// }
/// let x = [1.0, 2.0, 3.0, 4.0, 5.0, 3.0, 4.0, 5.0, 6.0, 7.0];
/// assert_eq!(Means::init(0).predictor(1).predict(&x), &[3.0, 5.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AdaptiveAvgPool2d {
    size: [usize; 2],
}

/// The mean of each part of a sequence: `y[s, f]` is that of `x[k, f]` over the steps `k` from `s · steps /
/// n`, rounded down, to `(s + 1) · steps / n`, rounded up; `[steps, features] -> [n, features]`.
///
/// Where `n` does not divide the steps, parts overlap by a step. `size`, which must be given, is how many
/// there are: PyTorch's `output_size` of `AdaptiveAvgPool1d`, which has `[features, steps]`.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Means: [5, 1] -> [2, 1] { AdaptiveAvgPool1d(2) }
/// }
/// assert_eq!(Means::init(0).predictor(1).predict(&[1.0, 2.0, 3.0, 4.0, 5.0]), &[2.0, 4.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AdaptiveAvgPool1d {
    size: usize,
}

/// The largest number of each part of an image: the parts are those of [`AdaptiveAvgPool2d`], `y[c, i, j] =
/// max x[c, k, l]`, `[channels, height, width] -> [channels, h, w]`.
///
/// | argument | here | PyTorch's `AdaptiveMaxPool2d` | Keras's `AdaptiveMaxPooling2D` |
/// |---|---|---|---|
/// | `size`, or `size_hw = [h, w]` | must be given | `output_size` | `output_size` |
///
/// Of equal numbers the first, row by row, takes the gradient.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Largest: [1, 1, 5] -> [1, 1, 2] { AdaptiveMaxPool2d(1, size_hw = [1, 2]) }
/// }
/// assert_eq!(Largest::init(0).predictor(1).predict(&[1.0, 2.0, 6.0, 4.0, 5.0]), &[6.0, 6.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AdaptiveMaxPool2d {
    size: [usize; 2],
}

/// The largest number of each part of a sequence: the parts are those of [`AdaptiveAvgPool1d`], `y[s, f] =
/// max x[k, f]`, `[steps, features] -> [n, features]`.
///
/// `size`, which must be given, is how many there are: PyTorch's `output_size` of `AdaptiveMaxPool1d`, which
/// has `[features, steps]`. Of equal numbers the first takes the gradient.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Largest: [5, 1] -> [2, 1] { AdaptiveMaxPool1d(2) }
/// }
/// assert_eq!(Largest::init(0).predictor(1).predict(&[1.0, 2.0, 3.0, 4.0, 5.0]), &[3.0, 5.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AdaptiveMaxPool1d {
    size: usize,
}

/// The pool of so many parts of `[channels, height, width]`.
const fn of_image(size: [usize; 2], x: Shape) -> Result<Asked, Fault> {
    match image(x) {
        Ok([channels, height, width]) => asked(channels, [height, width], size, false),
        Err(fault) => Err(fault),
    }
}

/// The pool of so many parts of `[steps, features]`.
const fn of_steps(size: usize, x: Shape) -> Result<Asked, Fault> {
    match sequence(x) {
        Ok([steps, features]) => asked(features, [1, steps], [1, size], true),
        Err(fault) => Err(fault),
    }
}

const fn asked(channels: usize, size: [usize; 2], parts: [usize; 2], channels_last: bool) -> Result<Asked, Fault> {
    if parts[0] == 0 || parts[1] == 0 {
        let fault = Fault::expected("a size of at least 1").found_num(0);
        return Err(fault.help("give how many parts there are along an axis, such as 7"));
    }
    // The kernels count places in 32 bits.
    if size[0].saturating_mul(size[1]) > u32::MAX as usize {
        return Err(too_large());
    }
    if size[0].is_multiple_of(parts[0]) && size[1].is_multiple_of(parts[1]) {
        let window = [size[0] / parts[0], size[1] / parts[1]];
        return Ok(Asked::Plain(Pool { channels_last, ..Pool::new([channels, size[0], size[1]], window) }));
    }
    let along = [Spacing::Parts(parts[0]), Spacing::Parts(parts[1])];
    Ok(Asked::Uneven(UnevenPool { channels, size, along, channels_last }))
}

const fn rule_of_means(asked: Result<Asked, Fault>) -> Rule {
    match asked {
        Ok(asked @ Asked::Plain(pool)) => spec(&asked).onnx(OnnxForm::AvgPool(pool, false)).ok(),
        Ok(asked @ Asked::Uneven(pool)) => spec(&asked).onnx(OnnxForm::Parts("ReduceMean", pool.output())).ok(),
        Err(fault) => Rule::Err(fault),
    }
}

const fn rule_of_maxima(asked: Result<Asked, Fault>) -> Rule {
    match asked {
        Ok(asked @ Asked::Plain(pool)) => spec(&asked).saves(pool.y_len()).onnx(OnnxForm::MaxPool(pool)).ok(),
        Ok(asked @ Asked::Uneven(pool)) => {
            spec(&asked).saves(pool.y_len()).onnx(OnnxForm::Parts("ReduceMax", pool.output())).ok()
        }
        Err(fault) => Rule::Err(fault),
    }
}

fn means(cx: &mut LayerContext, asked: Asked, x: &[f32], y: &mut [f32]) {
    match asked {
        Asked::Plain(pool) => avg_pool(cx.isa, pool, false, x, y),
        Asked::Uneven(pool) => uneven_mean(cx.isa, pool, x, y),
    }
}

fn pull_means(cx: &LayerContext, asked: Asked, dy: &[f32], dx: &mut [f32]) {
    match asked {
        _ if dx.is_empty() => {}
        Asked::Plain(pool) => avg_pool_backward(cx.isa, pool, false, dy, dx),
        Asked::Uneven(pool) => uneven_mean_backward(cx.isa, pool, dy, dx),
    }
}

/// The layer around its kernels.
macro_rules! adaptive {
    ($name:ident, $asked:ident, $rule:ident, $forward:path, $backward:path, $shapes:literal) => {
        impl $name {
            #[doc = $shapes]
            pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
                $rule($asked(self.size, x))
            }
        }

        impl Layer for $name {
            fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
                $forward(cx, accepted($asked(self.size, cx.input_shape(0))), x, y);
            }

            fn backward_input(
                &self,
                cx: &mut LayerContext,
                _: [&[f32]; 1],
                _: [&[f32]; 1],
                [dy]: [&[f32]; 1],
                [dx]: [&mut [f32]; 1],
            ) {
                $backward(cx, accepted($asked(self.size, cx.input_shape(0))), dy, dx);
            }
        }
    };
    (of images $name:ident) => {
        impl $name {
            /// So many parts down, and as many across.
            pub const fn new(size: usize) -> Self {
                $name { size: [size; 2] }
            }

            /// So many parts down, and so many across.
            pub const fn size_hw(mut self, size: [usize; 2]) -> Self {
                self.size = size;
                self
            }
        }
    };
    (of steps $name:ident) => {
        impl $name {
            /// So many parts.
            pub const fn new(size: usize) -> Self {
                $name { size }
            }
        }
    };
}

adaptive!(of images AdaptiveAvgPool2d);
adaptive!(of images AdaptiveMaxPool2d);
adaptive!(of steps AdaptiveAvgPool1d);
adaptive!(of steps AdaptiveMaxPool1d);
adaptive!(
    AdaptiveAvgPool2d,
    of_image,
    rule_of_means,
    means,
    pull_means,
    "`[channels, height, width] -> [channels, h, w]`"
);
adaptive!(AdaptiveAvgPool1d, of_steps, rule_of_means, means, pull_means, "`[steps, features] -> [n, features]`");
adaptive!(
    AdaptiveMaxPool2d,
    of_image,
    rule_of_maxima,
    max_pool::asked_forward,
    max_pool::asked_backward,
    "`[channels, height, width] -> [channels, h, w]`"
);
adaptive!(
    AdaptiveMaxPool1d,
    of_steps,
    rule_of_maxima,
    max_pool::asked_forward,
    max_pool::asked_backward,
    "`[steps, features] -> [n, features]`"
);
