//! `Dense`: every output a weighted sum of every input. In: `[features]`; out: `[units]`. The product itself
//! is the kernels'.

use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;
use crate::spec::{LayerSpec, Layout, OnnxForm};
use nn_kernels::matrix::{Panels, add_bias_grad, add_weight_grad, backward_input, backward_input_scratch, product};

/// Fully connected: `y[j] = Σ_i weight[j, i] · x[i] + bias[j]`, `[features] -> [units]`.
///
/// | argument | here | PyTorch's `Linear` | Keras's `Dense` |
/// |---|---|---|---|
/// | `units` | must be given | `out_features` | `units` |
/// | `bias` | `true` | `bias=True` | `use_bias=True` |
/// | `init` (of the weight) | `GlorotUniform` | uniform in ±1/√features | `"glorot_uniform"` |
/// | `bias_init` | `Zeros` | uniform in ±1/√features | `"zeros"` |
///
/// Parameters: `weight`, `[units, features]`, and `bias`, `[units]`. On `[steps, features]` use
/// [`DensePerStep`](super::DensePerStep).
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
        match x.dims::<1>() {
            Some([features]) => match self.spec(features, 1, Shape::of([self.units])) {
                Rule::Ok(spec) => spec.product_of_one().onnx(OnnxForm::Dense).ok(),
                refused => refused,
            },
            None => {
                let fault = Fault::expected("an input of [features]").found(x);
                Rule::Err(match x.rank() {
                    2 => fault.help(
                        "put `Flatten` before it, or use `DensePerStep` on [steps, features]; a batch is in no shape",
                    ),
                    _ => fault.help("put `Flatten` before it"),
                })
            }
        }
    }

    /// The spec of a product of `steps` rows a sample.
    pub(super) const fn spec(&self, features: usize, steps: usize, y: Shape) -> Rule {
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
        // Where the matrix does not fit, the spec says so; the sum here must not overflow first.
        let fits = Shape::of([self.units, features]).checked_len().is_some();
        let spec = LayerSpec::output(y)
            .computes()
            .matrix("weight", self.units, features, self.init)
            .scratch(0, if fits { backward_input_scratch(self.units) } else { 0 })
            .macs(features.saturating_mul(self.units).saturating_mul(steps))
            .accepts_elementwise()
            .backward_without_x()
            .overwrites_weight_grad();
        match self.bias {
            true => spec.param("bias", Shape::of([self.units]), self.bias_init).ok(),
            false => spec.ok(),
        }
    }

    pub(super) const fn units(&self) -> usize {
        self.units
    }

    /// A batch of steps is a batch of samples to the product: the rows of the matrix are the last dimension
    /// of the input.
    #[inline]
    fn panels(&self, cx: &LayerContext<'_, impl Sized>) -> Panels {
        match cx.spec.params.list()[0].layout {
            Layout::Panels(panels) => panels,
            Layout::Plain => unreachable!("the weight is a matrix"),
        }
    }
}

impl Layer for Dense {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let bias = if self.bias { Some(cx.param(1)) } else { None };
        product(cx.isa, self.panels(cx), x, cx.param(0), bias, cx.floor(), y);
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
            backward_input(cx.isa, self.panels(cx), dy, cx.param(0), dx, cx.scratch);
        }
    }

    fn backward_params(&self, cx: &mut ReadContext, [x]: [&[f32]; 1], [dy]: [&[f32]; 1], mut grad: ParamGrad) {
        let (panels, overwrite) = (self.panels(cx), grad.overwrite);
        let sums = cx.row_sums(cx.input_shape(0).len() / panels.rows());
        let (range, dw) = grad.slice(cx, 0);
        if !range.is_empty() {
            add_weight_grad(sums, panels, x, dy, (range, dw), overwrite);
        }
        if self.bias {
            let (range, db) = grad.slice(cx, 1);
            add_bias_grad(sums, self.units, dy, range, db);
        }
    }
}
