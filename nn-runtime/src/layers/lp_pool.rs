//! `LpPool2d` and `LpPool1d`: the p-norm of each window. In: `[channels, height, width]`, `[steps,
//! features]`; out: the same with fewer places. Nothing is kept: gradients follow from inputs and outputs.

use super::pool::{Asked, Pooled, plain_spec, pooled_arguments, pooled_arguments_of_steps};
use super::window::{Padding, accepted};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::OnnxForm;
use nn_kernels::pool::Pool;

/// The p-norm of each window: `y[c, i, j] = (Σ_k Σ_l |x[c, i · stride + k, j · stride + l]|^p)^(1/p)`,
/// `[channels, height, width] -> [channels, h, w]`: `LpPool2d(2.0, 3)` is the root of the sum of squares.
///
/// Height and width of the output are those of [`MaxPool2d`](super::MaxPool2d). A window that stands by
/// `ceil_mode` and sees less than others counts as if it saw as much, as in PyTorch: what it sees is
/// multiplied by the kernel's size over what is there. Where a norm is 0, its gradient is.
///
/// | argument | here | PyTorch's `LPPool2d` |
/// |---|---|---|
/// | `p`, at least 1 | must be given | `norm_type` |
/// | of numbers below 0 | `abs(x)^p` | `x^p`: for odd `p` no norm, and NaN where the sum is below 0 |
/// | `kernel`, or `kernel_hw = [h, w]` | must be given | `kernel_size` |
/// | `stride`, `stride_hw` | the kernel's | `stride=kernel_size` |
/// | `padding`: `Valid`, `Same`, `Pad(n)` up to half the kernel, of zeros | `Valid` | none |
/// | `ceil_mode` | `false` | `ceil_mode=False` |
///
/// Keras has none. `p` has no infinite value: that is [`MaxPool2d`](super::MaxPool2d).
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Norms: [1, 2, 4] -> [1, 1, 2] { LpPool2d(2.0, 2) }
/// }
/// assert_eq!(Norms::init(0).predictor(1).predict(&[1.0, -1.0, 3.0, 0.0, 1.0, 1.0, 0.0, -4.0]), &[2.0, 5.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LpPool2d {
    pooled: Pooled<2>,
    p: f32,
}

/// The p-norm of each feature within each window of steps: `y[s, f] = (Σ_k |x[s · stride + k, f]|^p)^(1/p)`,
/// `[steps, features] -> [steps', features]`.
///
/// The steps of the output are those of [`MaxPool1d`](super::MaxPool1d), and all else is as with
/// [`LpPool2d`].
///
/// | argument | here | PyTorch's `LPPool1d` |
/// |---|---|---|
/// | shapes | `[steps, features]` | `[features, steps]` |
/// | `p`, at least 1 | must be given | `norm_type` |
/// | `kernel` | must be given | `kernel_size` |
/// | `stride` | the kernel's | `stride=kernel_size` |
/// | `padding`: `Valid`, `Same`, `Pad(n)` up to half the kernel, of zeros | `Valid` | none |
/// | `ceil_mode` | `false` | `ceil_mode=False` |
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Norms: [4, 1] -> [2, 1] { LpPool1d(1.0, 2) }
/// }
/// assert_eq!(Norms::init(0).predictor(1).predict(&[1.0, -2.0, 3.0, 0.0]), &[3.0, 3.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LpPool1d {
    pooled: Pooled<1>,
    p: f32,
}

pooled_arguments!(LpPool2d);
pooled_arguments_of_steps!(LpPool1d);

const fn plain(asked: Asked) -> Pool {
    match asked {
        Asked::Plain(pool) => pool,
        Asked::Uneven(_) => panic!("expected windows without gaps"),
    }
}

/// What is wrong with a power.
const fn power_fault(p: f32, layer: &str) -> Option<Fault> {
    if p >= 1.0 && p < f32::INFINITY {
        return None;
    }
    let fault = Fault::expected("a power of at least 1, and finite").found_real(p);
    Some(fault.help("give it before the kernel, such as `").str(layer).str("(2.0, 2)`"))
}

/// ONNX knows whole powers, and windows that see as much as others.
const fn form(pool: Pool, p: f32) -> OnnxForm {
    let whole = p as i64;
    match whole as f32 == p && pool.beyond[0] == 0 && pool.beyond[1] == 0 {
        true => OnnxForm::LpPool(pool, whole),
        false => OnnxForm::Unsaid,
    }
}

/// Norms over the windows of a pool.
struct Norms {
    pool: Pool,
    p: f64,
}

impl Norms {
    fn power(&self, x: f64) -> f64 {
        match self.p {
            1.0 => x,
            2.0 => x * x,
            p => libm::pow(x, p),
        }
    }

    /// By how much the sum of window `[oy, ox]` is multiplied.
    fn factor(&self, at: [usize; 2]) -> f64 {
        let Pool { height, width, window, stride, pad, beyond, .. } = self.pool;
        let counted = |axis: usize| {
            let size = if axis == 0 { height } else { width };
            let end = size + pad[2 * axis] + pad[2 * axis + 1] - beyond[axis];
            window[axis].min(end - at[axis] * stride[axis])
        };
        (window[0] * window[1]) as f64 / (counted(0) * counted(1)) as f64
    }

    /// Calls `each` with the place of every output, by how much it is multiplied, and the places of what its
    /// window sees, of one sample.
    fn windows(&self, mut each: impl FnMut(usize, f64, &mut dyn Iterator<Item = usize>)) {
        let Pool { channels, height, width, channels_last, .. } = self.pool;
        let [rows, columns] = self.pool.output();
        // From a channel to the next, and from a place to the next.
        let (of_channel, of_place) =
            if channels_last { ([1; 2], channels) } else { ([height * width, rows * columns], 1) };
        for (oy, ox) in (0..rows).flat_map(|oy| (0..columns).map(move |ox| (oy, ox))) {
            let factor = self.factor([oy, ox]);
            for channel in 0..channels {
                let across = self.pool.sees(1, ox);
                let places = self.pool.sees(0, oy).flat_map(|y| across.clone().map(move |x| y * width + x));
                let mut places = places.map(|place| channel * of_channel[0] + place * of_place);
                each(channel * of_channel[1] + (oy * columns + ox) * of_place, factor, &mut places);
            }
        }
    }

    fn forward(&self, x: &[f32], y: &mut [f32]) {
        self.windows(|at, factor, places| {
            // The largest is taken out, so that no power is too large or small. NaN comes through the sum.
            let places = places.map(|place| f64::from(x[place].abs()));
            let (mut most, mut sum) = (0.0, 0.0);
            for x in places {
                if x > most {
                    (sum, most) = (sum * self.power(most / x) + 1.0, x);
                } else if x != 0.0 {
                    sum += if x == most { 1.0 } else { self.power(x / most) };
                }
            }
            let root = match self.p {
                1.0 => factor * sum,
                2.0 => libm::sqrt(factor * sum),
                p => libm::pow(factor * sum, 1.0 / p),
            };
            y[at] = if sum == 0.0 { 0.0 } else { (most * root) as f32 };
        });
    }

    fn backward(&self, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
        dx.fill(0.0);
        self.windows(|at, factor, places| {
            let (norm, d) = (f64::from(y[at]), factor * f64::from(dy[at]));
            for place in places {
                let x = f64::from(x[place]);
                if norm == 0.0 || x == 0.0 {
                    continue;
                }
                let slope = match self.p {
                    1.0 => 1.0,
                    2.0 => x.abs() / norm,
                    p => libm::pow(x.abs() / norm, p - 1.0),
                };
                dx[place] += (d * slope * x.signum()) as f32;
            }
        });
    }
}

/// The layer around the norms, which is the same over images and sequences.
macro_rules! norms {
    ($name:ident, $window:literal, $shapes:literal) => {
        impl $name {
            #[doc = $window]
            pub const fn new(p: f32, kernel: usize) -> Self {
                $name { pooled: Pooled::new(kernel), p }
            }

            #[doc = $shapes]
            pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
                if let Some(fault) = power_fault(self.p, stringify!($name)) {
                    return Rule::Err(fault);
                }
                match self.pooled.pool(x) {
                    Ok(asked) => plain_spec(&asked).onnx(form(plain(asked), self.p)).ok(),
                    Err(fault) => Rule::Err(fault),
                }
            }

            fn norms(&self, cx: &LayerContext) -> Norms {
                Norms { pool: plain(accepted(self.pooled.pool(cx.input_shape(0)))), p: f64::from(self.p) }
            }
        }

        impl Layer for $name {
            fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
                let norms = self.norms(cx);
                let [of_x, of_y] = [x.len() / cx.batch, y.len() / cx.batch];
                x.chunks_exact(of_x).zip(y.chunks_exact_mut(of_y)).for_each(|(x, y)| norms.forward(x, y));
            }

            fn backward_input(
                &self,
                cx: &mut LayerContext,
                [x]: [&[f32]; 1],
                [y]: [&[f32]; 1],
                [dy]: [&[f32]; 1],
                [dx]: [&mut [f32]; 1],
            ) {
                if dx.is_empty() {
                    return;
                }
                let norms = self.norms(cx);
                let [of_x, of_y] = [x.len() / cx.batch, y.len() / cx.batch];
                let outputs = y.chunks_exact(of_y).zip(dy.chunks_exact(of_y));
                let samples = x.chunks_exact(of_x).zip(dx.chunks_exact_mut(of_x)).zip(outputs);
                samples.for_each(|((x, dx), (y, dy))| norms.backward(x, y, dy, dx));
            }
        }
    };
}

norms!(LpPool2d, "This power, in a square window of this side.", "`[channels, height, width] -> [channels, h, w]`");
norms!(LpPool1d, "This power, in a window of so many steps.", "`[steps, features] -> [steps', features]`");
