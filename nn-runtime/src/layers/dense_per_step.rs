//! `DensePerStep`: one dense layer for every step of a sequence. In: `[steps, features]`; out: `[steps,
//! units]`. It is the product of `Dense` with more rows, and nothing else.

use super::Dense;
use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;
use crate::spec::OnnxForm;

/// The same [`Dense`] at every step: `y[s, j] = Σ_i weight[j, i] · x[s, i] + bias[j]`, `[steps, features] ->
/// [steps, units]`.
///
/// Arguments, defaults and parameters are those of [`Dense`]. PyTorch's `Linear` and Keras's `Dense` do this
/// whenever the input has more than one dimension; here it is said.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Sums: [3, 2] -> [3, 1] { DensePerStep(1, init = Constant(1.0)) }
/// }
/// assert_eq!(Sums::init(0).predictor(1).predict(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), &[3.0, 7.0, 11.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DensePerStep {
    dense: Dense,
}

impl DensePerStep {
    /// This many outputs at each step.
    pub const fn new(units: usize) -> Self {
        DensePerStep { dense: Dense::new(units) }
    }

    /// Whether a learnt number is added to each output.
    pub const fn bias(mut self, bias: bool) -> Self {
        self.dense = self.dense.bias(bias);
        self
    }

    /// What the weight is drawn from.
    pub const fn init(mut self, init: Init) -> Self {
        self.dense = self.dense.init(init);
        self
    }

    /// What the bias is drawn from.
    pub const fn bias_init(mut self, init: Init) -> Self {
        self.dense = self.dense.bias_init(init);
        self
    }

    /// `[steps, features] -> [steps, units]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        match x.dims::<2>() {
            Some([steps, features]) => match self.dense.spec(features, steps, Shape::of([steps, self.dense.units()])) {
                Rule::Ok(spec) => spec.per_step().product_of_step().onnx(OnnxForm::DensePerStep).ok(),
                fault => fault,
            },
            None => {
                let fault = Fault::expected("an input of [steps, features]").found(x);
                Rule::Err(match x.rank() {
                    1 => fault.help("use `Dense` on [features]"),
                    _ => super::image::into_steps(fault, x),
                })
            }
        }
    }
}

impl Layer for DensePerStep {
    fn forward(&self, cx: &mut LayerContext, x: [&[f32]; 1], y: [&mut [f32]; 1]) {
        self.dense.forward(cx, x, y);
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        x: [&[f32]; 1],
        y: [&[f32]; 1],
        dy: [&[f32]; 1],
        dx: [&mut [f32]; 1],
    ) {
        self.dense.backward_input(cx, x, y, dy, dx);
    }

    fn backward_params(&self, cx: &mut ReadContext, x: [&[f32]; 1], dy: [&[f32]; 1], grad: ParamGrad) {
        self.dense.backward_params(cx, x, dy, grad);
    }
}
