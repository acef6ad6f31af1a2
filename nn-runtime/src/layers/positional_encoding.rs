//! `PositionalEncoding`: something of its own added to every step, so that a layer that sees all steps alike
//! can tell them apart. In: `[steps, features]`; out: the same. It never looks at the numbers it adds to.

use super::sum::Add;
use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm};
use nn_kernels::matrix::add_bias_grad;
use nn_kernels::simd::Isa;

/// Waves added to the steps: `y[s, 2i] = x[s, 2i] + sin(s · w)`, `y[s, 2i + 1] = x[s, 2i + 1] + cos(s · w)`,
/// with `w = 10000^(-2i / features)`; `[steps, features] -> [steps, features]`. Any number of features, odd
/// ones too.
///
/// | argument | here | PyTorch | Keras |
/// |---|---|---|---|
/// | `learnt`: a learnt table is added instead | `false` | no such layer | KerasHub's `SinePositionEncoding`, `PositionEmbedding` |
///
/// With `learnt = true` there is a parameter, `weight`, `[steps, features]`, drawn from a normal distribution
/// of deviation 0.02, and a stream ends where the window does; waves go on. The waves are within 1e-6 of the
/// formula, for any step below 2²⁴. Vaswani et al., "Attention Is All You Need", 2017; the table: Gehring et
/// al., "Convolutional Sequence to Sequence Learning", 2017.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Where: [2, 2] -> [2, 2] { PositionalEncoding }
/// }
/// let y = *Where::init(0).predictor(1).predict(&[0.0; 4]);
/// for (y, wave) in y.iter().zip([0.0, 1.0, 1f32.sin(), 1f32.cos()]) {
///     assert!((y - wave).abs() < 1e-6);
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PositionalEncoding {
    learnt: bool,
}

#[allow(clippy::new_without_default, reason = "a layer is written in a declaration, never a default")]
impl PositionalEncoding {
    /// Waves.
    pub const fn new() -> Self {
        PositionalEncoding { learnt: false }
    }

    /// Whether a learnt table is added instead of waves.
    pub const fn learnt(mut self, learnt: bool) -> Self {
        self.learnt = learnt;
        self
    }

    /// `[steps, features] -> [steps, features]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        if x.rank() != 2 {
            let fault = Fault::expected("an input of [steps, features]").found(x);
            return Rule::Err(match x.rank() {
                1 => fault.help("put `Embedding(vocabulary, features)` before it if these are token ids"),
                _ => super::image::into_steps(fault, x),
            });
        }
        let spec = LayerSpec::output(x)
            .backward_without_x()
            .backward_without_y()
            .stream_state(0)
            .onnx(OnnxForm::Positions(waves));
        match self.learnt {
            true => spec.param("weight", x, Init::Normal(0.02)).bounded_context().ok(),
            false => spec.scratch(0, x.len()).ok(),
        }
    }
}

/// A full turn is 2^64.
const TURN: f64 = 18_446_744_073_709_551_616.0;
const QUARTER: u64 = 1 << 62;

/// The part of a turn that feature `i` advances by at every step. Whole numbers: the phase of step s is s
/// times that, exactly.
fn advance(i: usize, features: usize) -> u64 {
    let exponent = (i / 2 * 2) as f64 / features as f64;
    (libm::exp(-exponent * core::f64::consts::LN_10 * 4.0) / core::f64::consts::TAU * TURN) as u64
}

/// sin x / x − 1 and (cos x − 1 + x²/2) / x⁴ in powers of x², for |x| <= π/4: their Taylor series, off by
/// less than 3e-9 there.
const SIN: [f32; 4] = [-1.0 / 6.0, 1.0 / 120.0, -1.0 / 5040.0, 1.0 / 362_880.0];
const COS: [f32; 4] = [1.0 / 24.0, -1.0 / 720.0, 1.0 / 40_320.0, -1.0 / 3_628_800.0];

/// The sine of a phase.
fn sine(phase: u64) -> f32 {
    // The nearest quarter, and what is left: at most an eighth of a turn on either side.
    let quarter = phase.wrapping_add(QUARTER / 2) / QUARTER;
    let rest = phase.wrapping_sub(quarter.wrapping_mul(QUARTER)) as i64;
    let x = (rest as f64 * (core::f64::consts::TAU / TURN)) as f32;
    let square = x * x;
    let series = |c: [f32; 4]| c[0] + square * (c[1] + square * (c[2] + square * c[3]));
    let size = if quarter.is_multiple_of(2) {
        x + x * square * series(SIN)
    } else {
        1.0 - 0.5 * square + square * square * series(COS)
    };
    if quarter % 4 < 2 { size } else { -size }
}

/// The wave of feature `i` at phase `step · advance`.
fn wave(i: usize, phase: u64) -> f32 {
    sine(if i.is_multiple_of(2) { phase } else { phase.wrapping_add(QUARTER) })
}

/// y = x + what, sample by sample.
/// The waves of all steps, `[steps, features]`.
fn waves(features: usize, table: &mut [f32]) {
    for i in 0..features {
        let advance = advance(i, features);
        for (step, row) in table.chunks_exact_mut(features).enumerate() {
            row[i] = wave(i, advance.wrapping_mul(step as u64));
        }
    }
}

fn add(isa: Isa, x: &[f32], what: &[f32], y: &mut [f32]) {
    for (x, y) in x.chunks_exact(what.len()).zip(y.chunks_exact_mut(what.len())) {
        isa.zip(&Add, x, what, y);
    }
}

impl Layer for PositionalEncoding {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        if self.learnt {
            return add(cx.isa, x, cx.param(0), y);
        }
        let shape = cx.input_shape(0);
        let table = &mut cx.scratch[..shape.len()];
        waves(shape.dim(1), table);
        add(cx.isa, x, table, y);
    }

    fn backward_input(
        &self,
        _: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        if !dx.is_empty() {
            dx.copy_from_slice(dy);
        }
    }

    fn backward_params(&self, cx: &mut ReadContext, _: [&[f32]; 1], [dy]: [&[f32]; 1], mut part: ParamGrad) {
        if self.learnt {
            let (range, dw) = part.slice(cx, 0);
            add_bias_grad(cx.row_sums(1), cx.input_shape(0).len(), dy, range, dw);
        }
    }

    fn step(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let features = cx.input_shape(0).dim(1);
        if self.learnt {
            let row = cx.position as usize;
            return add(cx.isa, x, &cx.param(0)[row * features..][..features], y);
        }
        let row = &mut cx.scratch[..features];
        for (i, to) in row.iter_mut().enumerate() {
            *to = wave(i, advance(i, features).wrapping_mul(cx.position));
        }
        add(cx.isa, x, row, y);
    }
}
