//! `Product`: several values multiplied number by number, as gates and attention over channels do. In: two or
//! more values of one shape; out: the same shape. It never widens a shape to fit another.

use super::any_inputs::{AnyInputs, layer_of_any_inputs};
use super::sum::alike;
use crate::graph::Rule;
use crate::layer::LayerContext;
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm, Range};
use nn_kernels::elementwise::Map;
use nn_kernels::simd::Simd;

/// `y = x₁ · x₂ · …`, number by number: `([…], […], …) -> […]`, all of one shape.
///
/// No arguments, as Keras's `Multiply()`; PyTorch writes `a * b`, which also widens shapes. Here shapes are
/// equal or refused.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Square: [3] -> [3] {
///         let x = Relu;
///         (x, x) -> Product
///     }
/// }
/// assert_eq!(Square::init(0).predictor(1).predict(&[-1.0, 2.0, 3.0]), &[0.0, 4.0, 9.0]);
/// ```
///
/// What a condition scales and moves (FiLM) is a product and a sum, once a number for each channel has
/// been made an image of it; so is the gated unit of WaveNet, `tanh(f) · σ(g)`:
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Film: (x: [16, 8, 8], condition: [4]) -> [16, 8, 8] {
///         let scale = condition -> Dense(16) -> Reshape([16, 1, 1]) -> Resize(8);
///         let shift = condition -> Dense(16) -> Reshape([16, 1, 1]) -> Resize(8);
///         let scaled = (x, scale) -> Product;
///         (scaled, shift) -> Sum
///     }
/// }
/// network! {
///     pub struct Gated: [64, 8] -> (way: [64, 8], skip: [64, 16]) {
///         let (f, g) = Conv1d(16, 2, dilation = 4, padding = Causal) -> Split(2, axis = 1);
///         let signal = f -> Tanh;
///         let gate = g -> Sigmoid;
///         let unit = (signal, gate) -> Product;
///         let through = unit -> Conv1d(8, 1);
///         let way = (through, input) -> Sum;
///         let skip = unit -> Conv1d(16, 1);
///     }
/// }
/// assert!(Film::init(0).tensors().len() == 4 && Gated::init(0).tensors().len() == 6);
/// ```
#[derive(Clone, Copy, Default, Debug)]
pub struct Product;

impl Product {
    /// There is nothing to choose.
    pub const fn new() -> Self {
        Product
    }

    /// `([…], […], …) -> […]`
    pub const fn rule<const N: usize>(&self, x: [Shape; N]) -> Rule {
        match alike(&x, "Product") {
            Some(fault) => Rule::Err(fault),
            None => {
                let spec = LayerSpec::output(x[0]).range(Range::All).backward_without_y();
                spec.per_step().onnx(OnnxForm::Product).ok()
            }
        }
    }
}

/// a · b.
struct Mul;

impl Map<2> for Mul {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [a, b]: [S::F; 2]) -> S::F {
        s.mul(a, b)
    }
}

layer_of_any_inputs!(Product);

impl AnyInputs for Product {
    fn forward_any(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [f32]) {
        cx.isa.zip(&Mul, x[0], x[1], y);
        for x in &x[2..] {
            cx.isa.zip_in_place(&Mul, y, x);
        }
    }

    fn backward_input_any(&self, cx: &mut LayerContext, x: &[&[f32]], dy: &[f32], dx: &mut [&mut [f32]]) {
        for (k, dx) in dx.iter_mut().enumerate().filter(|(_, dx)| !dx.is_empty()) {
            // The product of the others, never y / x: an input may be 0.
            let first = usize::from(k == 0);
            cx.isa.zip(&Mul, dy, x[first], dx);
            for (_, x) in x.iter().enumerate().filter(|(i, _)| *i > first && *i != k) {
                cx.isa.zip_in_place(&Mul, dx, x);
            }
        }
    }
}
