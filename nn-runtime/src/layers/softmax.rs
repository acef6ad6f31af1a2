//! `Softmax` and `LogSoftmax`: scores become probabilities, or their logarithms. In: any shape; out: the
//! same, each row along the last dimension on its own. A loss that wants scores leaves them out of the
//! training pass.

use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::{Head, LayerSpec, OnnxForm};
use nn_kernels::simd::Isa;
use nn_kernels::softmax;

/// An elementwise function to whoever absorbs it, though it works on rows: of `[steps]` alone there is no
/// step without the others.
const fn spec(
    x: Shape,
    head: Head,
    operator: &'static str,
    of_one: &str,
    of_sample: fn(Isa, &[f32; 4], &mut [f32]),
) -> Rule {
    if x.rank() > 0 && x.dim(x.rank() - 1) == 1 {
        let fault = Fault::expected("scores of at least 2 classes, whose probabilities sum to 1").found(x);
        return Rule::Err(fault.help(of_one));
    }
    let mut spec = LayerSpec::output(x)
        .computes()
        .head(head)
        .elementwise(true)
        .backward_without_x()
        .onnx(OnnxForm::AlongAxis(operator, -1));
    if x.rank() < 2 {
        spec = spec.whole_window().in_place(of_sample, []);
    }
    spec.ok()
}

/// The length of a row.
fn width(cx: &LayerContext) -> usize {
    let shape = cx.output_shape(0);
    shape.dim(shape.rank() - 1)
}

/// `y[i] = exp(x[i]) / Σ_j exp(x[j])` along the last dimension: probabilities that sum to 1. Any shape.
///
/// No arguments; the dimension is PyTorch's `dim=-1` and Keras's `axis=-1`. Before
/// [`CrossEntropy`](crate::losses::CrossEntropy) the two are computed as one: the loss reads what goes into
/// the softmax, so that no probability is rounded to 0. Bridle, "Probabilistic interpretation of feedforward
/// classification network outputs", 1990.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Half: [2] -> [2] { Softmax }
/// }
/// assert_eq!(Half::init(0).predictor(1).predict(&[3.0, 3.0]), &[0.5, 0.5]);
/// ```
#[derive(Clone, Copy, Default, Debug)]
pub struct Softmax;

impl Softmax {
    /// There is nothing to choose.
    pub const fn new() -> Self {
        Softmax
    }

    /// `[…, n] -> […, n]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let of_sample = |isa, _: &_, y: &mut [f32]| softmax::softmax_in_place(isa, y.len(), y);
        spec(x, Head::Softmax, "Softmax", "write `Sigmoid` for one probability", of_sample)
    }
}

impl Layer for Softmax {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        softmax::softmax(cx.isa, width(cx), x, y);
    }

    fn apply(&self, cx: &mut LayerContext, y: &mut [f32]) {
        softmax::softmax_in_place(cx.isa, width(cx), y);
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        _: [&[f32]; 1],
        [y]: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        if !dx.is_empty() {
            softmax::softmax_backward(cx.isa, width(cx), y, dy, dx);
        }
    }
}

/// `y[i] = x[i] - ln Σ_j exp(x[j])` along the last dimension: logarithms of probabilities that sum to 1. Any
/// shape.
///
/// No arguments; the dimension is PyTorch's `dim=-1` and Keras's `axis=-1`.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Half: [2] -> [2] { LogSoftmax }
/// }
/// let y = *Half::init(0).predictor(1).predict(&[3.0, 3.0]);
/// assert!((y[0] - 0.5f32.ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Default, Debug)]
pub struct LogSoftmax;

impl LogSoftmax {
    /// There is nothing to choose.
    pub const fn new() -> Self {
        LogSoftmax
    }

    /// `[…, n] -> […, n]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let of_sample = |isa, _: &_, y: &mut [f32]| softmax::log_softmax_in_place(isa, y.len(), y);
        spec(x, Head::LogSoftmax, "LogSoftmax", "leave it out and train the score with `BinaryCrossEntropy`", of_sample)
    }
}

impl Layer for LogSoftmax {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        softmax::log_softmax(cx.isa, width(cx), x, y);
    }

    fn apply(&self, cx: &mut LayerContext, y: &mut [f32]) {
        softmax::log_softmax_in_place(cx.isa, width(cx), y);
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        _: [&[f32]; 1],
        [y]: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        if !dx.is_empty() {
            softmax::log_softmax_backward(cx.isa, width(cx), y, dy, dx);
        }
    }
}
