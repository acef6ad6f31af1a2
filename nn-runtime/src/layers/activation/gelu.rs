//! `Gelu`: a number times the share of a normal distribution below it. In: any shape; out: the same. While
//! training it keeps its slope and not its input: the two come of one exponential, and the way back is a
//! product.

use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::{Head, LayerSpec, OnnxForm};
use nn_kernels::elementwise::Map;
use nn_kernels::math;
use nn_kernels::simd::{Isa, Kernel, LANES, Simd};

/// `y = x · Φ(x)`, with the distribution function Φ of the normal distribution. Any shape.
///
/// | argument | here | PyTorch's `GELU` | Keras's `gelu` |
/// |---|---|---|---|
/// | `approximate`: `x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))` | `false` | `approximate="none"` (or `"tanh"`) | `approximate=False` |
///
/// `y` is off by at most 1e-7 · (1 + |x|), which is more than a tail below -4 is large; below -6, where it is
/// less than 6e-9, it is 0, and so is its gradient.
///
/// Hendrycks & Gimpel, "Gaussian Error Linear Units", 2016.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! { pub struct Net: [2] -> [2] { Gelu } }
/// let y = *Net::init(0).predictor(1).predict(&[-20.0, 1.0]);
/// assert!(y[0] == 0.0 && (y[1] - 0.841345).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Gelu {
    approximate: bool,
}

#[allow(clippy::new_without_default, reason = "a layer is written in a declaration, never a default")]
impl Gelu {
    /// The exact function.
    pub const fn new() -> Self {
        Gelu { approximate: false }
    }

    /// Whether to take the formula with tanh, with which some published weights were learnt.
    pub const fn approximate(mut self, approximate: bool) -> Self {
        self.approximate = approximate;
        self
    }

    /// `[…] -> […]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        // Where the size overflows, the spec says so.
        let saved = if x.checked_len().is_some() { x.len() } else { 0 };
        LayerSpec::output(x)
            .head(Head::Other)
            .onnx(OnnxForm::Gelu(self.approximate))
            .elementwise(true)
            .saves(saved)
            .backward_in_place()
            .backward_without_x()
            .backward_without_y()
            .in_place(Gelu::of_sample, [if self.approximate { 1.0 } else { 0.0 }])
            .ok()
    }

    fn of_sample(isa: Isa, [approximate, ..]: &[f32; 4], y: &mut [f32]) {
        isa.run(GeluValues { approximate: *approximate != 0.0, x: None, y, slopes: &mut [] });
    }

    fn run(&self, cx: &mut LayerContext, x: Option<&[f32]>, y: &mut [f32]) {
        // What is kept may be rounded up to whole lines.
        let slopes = if cx.saved.is_empty() { 0 } else { y.len() };
        cx.isa.run(GeluValues { approximate: self.approximate, x, y, slopes: &mut cx.saved[..slopes] });
    }
}

/// Every y from x, or where that is missing from what stands in y, and its slope where there is room for
/// that.
struct GeluValues<'a> {
    approximate: bool,
    x: Option<&'a [f32]>,
    y: &'a mut [f32],
    slopes: &'a mut [f32],
}

impl Kernel for GeluValues<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let GeluValues { approximate, x, y, slopes } = self;
        let keeps = !slopes.is_empty();
        let x = x.map(|x| x.as_chunks::<LANES>());
        let (y, y_last) = y.as_chunks_mut::<LANES>();
        let (slopes, last_slopes) = slopes.as_chunks_mut::<LANES>();
        for (i, y) in y.iter_mut().enumerate() {
            let x = s.load(x.map_or(&*y, |(x, _)| &x[i]));
            if keeps {
                let (value, slope) = both(s, approximate, x);
                s.store(slope, &mut slopes[i]);
                s.store(value, y);
            } else {
                s.store(value(s, approximate, x), y);
            }
        }
        if !y_last.is_empty() {
            let x = s.load_part(x.map_or(&*y_last, |(_, x)| x));
            s.store_part(value(s, approximate, x), y_last);
            if keeps {
                s.store_part(both(s, approximate, x).1, last_slopes);
            }
        }
    }
}

#[inline(always)]
fn value<S: Simd>(s: S, approximate: bool, x: S::F) -> S::F {
    if approximate { math::gelu_tanh(s, x) } else { math::gelu(s, x) }
}

#[inline(always)]
fn both<S: Simd>(s: S, approximate: bool, x: S::F) -> (S::F, S::F) {
    match approximate {
        true => (math::gelu_tanh(s, x), math::gelu_tanh_slope(s, x)),
        false => math::gelu_and_slope(s, x),
    }
}

/// d · slope.
struct Times;

impl Map<2> for Times {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [d, slope]: [S::F; 2]) -> S::F {
        s.mul(d, slope)
    }
}

impl Layer for Gelu {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        self.run(cx, Some(x), y);
    }

    fn apply(&self, cx: &mut LayerContext, y: &mut [f32]) {
        self.run(cx, None, y);
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        x: [&[f32]; 1],
        y: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        if !dx.is_empty() {
            dx.copy_from_slice(dy);
            self.backward_in_place(cx, x, y, dx);
        }
    }

    fn backward_in_place(&self, cx: &mut LayerContext, _: [&[f32]; 1], _: [&[f32]; 1], d: &mut [f32]) {
        cx.isa.zip_in_place(&Times, d, &cx.saved[..d.len()]);
    }
}
