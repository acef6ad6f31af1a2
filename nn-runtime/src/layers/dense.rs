//! `Dense`: every output a weighted sum of every input. In: `[features]`; out: `[units]`. The product itself is the kernels'.

use crate::facts::{Facts, Rule};
use crate::fault::Fault;
use crate::init::Init;
use crate::kernels::matrix::{Panels, product, pull_bias, pull_w, pull_x, pull_x_scratch};
use crate::layer::{Cx, Layer, Look, Part};
use crate::shape::Shape;

/// Fully connected: `y[j] = Σ_i weight[j, i] · x[i] + bias[j]`, `[features] -> [units]`.
///
/// | argument | here | PyTorch's `Linear` | Keras's `Dense` |
/// |---|---|---|---|
/// | `units` | must be given | `out_features` | `units` |
/// | `bias` | `true` | `bias=True` | `use_bias=True` |
/// | `init` (of the weight) | `GlorotUniform` | uniform in ±1/√features | `"glorot_uniform"` |
/// | `bias_init` | `Zeros` | uniform in ±1/√features | `"zeros"` |
///
/// Parameters: `weight`, `[units, features]`, and `bias`, `[units]`. On `[steps, features]` use [`DensePerStep`](super::DensePerStep).
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Mean: [4] -> [1] { Dense(1, bias = false, init = Constant(0.25)) }
/// }
/// assert_eq!(Mean::init(0).predictor(1).predict(&[1.0, 2.0, 3.0, 6.0]), &[3.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Dense {
    units: usize,
    bias: bool,
    init: Init,
    bias_init: Init,
}

impl Dense {
    /// This many outputs.
    pub const fn new(units: usize) -> Self {
        Dense { units, bias: true, init: Init::GlorotUniform, bias_init: Init::Zeros }
    }

    /// Whether a learnt number is added to each output.
    pub const fn bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    /// What the weight is drawn from.
    pub const fn init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// What the bias is drawn from.
    pub const fn bias_init(mut self, init: Init) -> Self {
        self.bias_init = init;
        self
    }

    /// `[features] -> [units]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        match x.dims() {
            Some([features]) => self.facts(features, 1, Shape::of([self.units])),
            None => {
                let fault = Fault::expected("an input of [features]").found(x);
                Rule::Err(match x.rank() {
                    2 => fault.help("put `Flatten` before it, or use `DensePerStep` on [steps, features]"),
                    _ => fault.help("put `Flatten` before it"),
                })
            }
        }
    }

    /// The facts of a product of `steps` rows a sample.
    pub(super) const fn facts(&self, features: usize, steps: usize, y: Shape) -> Rule {
        if self.units == 0 {
            return Rule::Err(
                Fault::expected("at least 1 unit").found_num(0).help("give the number of outputs, such as `Dense(10)`"),
            );
        }
        if features == 0 {
            return Rule::Err(
                Fault::expected("an input of at least 1 feature")
                    .found_num(0)
                    .help("make the dimension before it at least 1"),
            );
        }
        // Where the matrix does not fit, the facts say so; the sum here must not overflow first.
        let fits = Shape::of([self.units, features]).checked_len().is_some();
        let facts = Facts::output(y)
            .matrix("weight", self.units, features, self.init)
            .scratch(0, if fits { pull_x_scratch(self.units) } else { 0 })
            .macs(features.saturating_mul(self.units).saturating_mul(steps))
            .takes_act()
            .pulls_without_x()
            .pulls_afresh();
        match self.bias {
            true => facts.param("bias", Shape::of([self.units]), self.bias_init).ok(),
            false => facts.ok(),
        }
    }

    pub(super) const fn units(&self) -> usize {
        self.units
    }

    /// A batch of steps is a batch of samples to the product: the rows of the matrix are the last dimension of the input.
    fn panels(&self, cx: &Cx<'_, impl Sized>) -> Panels {
        let x = cx.input_shape(0);
        Panels::fit(x.dim(x.rank() - 1), self.units)
    }
}

impl Layer for Dense {
    fn forward(&self, cx: &mut Cx, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let bias = if self.bias { Some(cx.param(1)) } else { None };
        product(cx.isa, self.panels(cx), x, cx.param(0), bias, cx.floor, y);
    }

    fn pull_input(&self, cx: &mut Cx, _: [&[f32]; 1], _: [&[f32]; 1], [dy]: [&[f32]; 1], [dx]: [&mut [f32]; 1]) {
        if !dx.is_empty() {
            pull_x(cx.isa, self.panels(cx), dy, cx.param(0), dx, cx.scratch);
        }
    }

    fn pull_params(&self, cx: &mut Look, [x]: [&[f32]; 1], [dy]: [&[f32]; 1], mut part: Part) {
        let fresh = part.fresh;
        let (range, dw) = part.of(cx, 0);
        if !range.is_empty() {
            pull_w(cx.isa, self.panels(cx), x, dy, range, dw, fresh);
        }
        if self.bias {
            let (range, db) = part.of(cx, 1);
            pull_bias(cx.isa, self.units, dy, range, db);
        }
    }
}
