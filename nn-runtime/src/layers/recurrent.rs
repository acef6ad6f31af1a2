//! What `Rnn`, `Gru` and `Lstm` share: arguments, rule, and passes. In: `[steps, features]`, and perhaps a
//! mask `[steps]`; out: every step's output, or the last. Nothing here may know a cell's formula.

mod passes;

use core::marker::PhantomData;

use super::window::too_large;
use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::shape::Shape;
use crate::spec::{Head, LayerSpec, OnnxForm, OnnxRecurrent};
use nn_kernels::matrix::backward_input_scratch;
use nn_kernels::recurrent::{Cell, GateColumns, PreparedCell, RecurrentForward, SavedSteps, TransposedWeights};

/// Which way a recurrent layer goes through its sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// From the first step to the last.
    Forward,
    /// From the last step to the first.
    Backward,
    /// Both ways, each with weights of its own; the outputs stand side by side, those of the way forward
    /// first.
    Both,
}

/// A recurrent layer of some cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recurrent<C> {
    pub(super) units: usize,
    pub(super) direction: Direction,
    pub(super) last: bool,
    pub(super) bias: bool,
    pub(super) init: Option<Init>,
    pub(super) recurrent_init: Option<Init>,
    pub(super) bias_init: Option<Init>,
    cell: PhantomData<C>,
}

/// Names of the parameters of the first way and, of `Both`, the second.
const NAMES: [[&str; 4]; 2] = [
    ["weight_ih", "weight_hh", "bias_ih", "bias_hh"],
    ["weight_ih_reverse", "weight_hh_reverse", "bias_ih_reverse", "bias_hh_reverse"],
];

/// The constructor, the arguments and the layer of a type whose field `of` is a [`Recurrent`]; where it
/// may have another cell, the field `other` says whether it has.
macro_rules! recurrent_layer {
    ($name:ident, $operator:literal $(, $other:ident: $cell:ty)?) => {
        impl $name {
            /// This many units, which is how many outputs a step has.
            pub const fn new(units: usize) -> Self {
                $name { of: super::recurrent::Recurrent::new(units) $(, $other: false)? }
            }

            /// Which way it goes through the sequence.
            pub const fn direction(mut self, direction: super::Direction) -> Self {
                self.of.direction = direction;
                self
            }

            /// Whether the output is that of the last step only: `[units]`.
            pub const fn last(mut self, last: bool) -> Self {
                self.of.last = last;
                self
            }

            /// Whether learnt numbers are added to both products.
            pub const fn bias(mut self, bias: bool) -> Self {
                self.of.bias = bias;
                self
            }

            /// What the weight of the inputs is drawn from.
            pub const fn init(mut self, init: crate::init::Init) -> Self {
                self.of.init = Some(init);
                self
            }

            /// What the weight of the state is drawn from.
            pub const fn recurrent_init(mut self, init: crate::init::Init) -> Self {
                self.of.recurrent_init = Some(init);
                self
            }

            /// What both biases are drawn from.
            pub const fn bias_init(mut self, init: crate::init::Init) -> Self {
                self.of.bias_init = Some(init);
                self
            }

            /// `[steps, features] -> [steps, units]`, or `[units]` of the last step; `([steps, features],
            /// [steps])` with a mask.
            pub const fn rule<const N: usize>(&self, x: [crate::shape::Shape; N]) -> crate::graph::Rule {
                $(if self.$other {
                    return self.of.of_cell::<$cell>().rule(&x, stringify!($name), concat!($operator, "_", stringify!($other)));
                })?
                self.of.rule(&x, stringify!($name), $operator)
            }
        }

        // Of any number of inputs, so that it is the rule that refuses other numbers than one and two.
        super::any_inputs::layer_of_any_inputs!($name);

        impl super::any_inputs::AnyInputs for $name {
            fn forward_any(&self, cx: &mut crate::layer::LayerContext, x: &[&[f32]], y: &mut [f32]) {
                $(if self.$other {
                    return self.of.of_cell::<$cell>().forward(cx, x, y);
                })?
                self.of.forward(cx, x, y);
            }

            fn backward_input_any(
                &self,
                cx: &mut crate::layer::LayerContext,
                x: &[&[f32]],
                dy: &[f32],
                dx: &mut [&mut [f32]],
            ) {
                $(if self.$other {
                    return self.of.of_cell::<$cell>().backward_input(cx, x, dy, dx);
                })?
                self.of.backward_input(cx, x, dy, dx);
            }

            fn backward_params_any(
                &self,
                cx: &mut crate::layer::ReadContext,
                x: &[&[f32]],
                _: &[f32],
                part: crate::layer::ParamGrad,
            ) {
                $(if self.$other {
                    return self.of.of_cell::<$cell>().backward_params(cx, x, part);
                })?
                self.of.backward_params(cx, x, part);
            }

            fn step_any(&self, cx: &mut crate::layer::LayerContext, x: &[&[f32]], y: &mut [f32]) {
                $(if self.$other {
                    return self.of.of_cell::<$cell>().step(cx, x, y);
                })?
                self.of.step(cx, x, y);
            }

            fn prepare_any(&self, cx: &mut crate::layer::LayerContext) {
                $(if self.$other {
                    return self.of.of_cell::<$cell>().prepare(cx);
                })?
                self.of.prepare(cx);
            }
        }
    };
}
pub(super) use recurrent_layer;

/// 1/√n, of which there is no const form.
const fn inverse_root(n: usize) -> f32 {
    let n = n as f64;
    let mut root = if n > 1.0 { n } else { 1.0 };
    // Newton's way from above: each step halves the distance at least, until there is none.
    let mut i = 0;
    while i < 64 {
        root = 0.5 * (root + n / root);
        i += 1;
    }
    (1.0 / root) as f32
}

impl<C: Cell> Recurrent<C> {
    pub(super) const fn new(units: usize) -> Self {
        Recurrent {
            units,
            direction: Direction::Forward,
            last: false,
            bias: true,
            init: None,
            recurrent_init: None,
            bias_init: None,
            cell: PhantomData,
        }
    }

    /// The same of another cell.
    pub(super) const fn of_cell<D: Cell>(&self) -> Recurrent<D> {
        let Recurrent { units, direction, last, bias, init, recurrent_init, bias_init, .. } = *self;
        Recurrent { units, direction, last, bias, init, recurrent_init, bias_init, cell: PhantomData }
    }

    const fn onnx(&self, operator: &'static str) -> OnnxRecurrent {
        let direction = match self.direction {
            Direction::Forward => "forward",
            Direction::Backward => "reverse",
            Direction::Both => "bidirectional",
        };
        OnnxRecurrent { operator, units: self.units, direction, last: self.last }
    }

    const fn ways(&self) -> usize {
        if matches!(self.direction, Direction::Both) { 2 } else { 1 }
    }

    /// Numbers of one step's gates.
    const fn row(&self) -> usize {
        C::GATES.saturating_mul(self.units)
    }

    /// Numbers kept of one step, one way.
    const fn kept(&self) -> usize {
        SavedSteps::each::<C>() * self.units
    }

    pub(super) const fn rule(&self, x: &[Shape], layer: &str, operator: &'static str) -> Rule {
        let [steps, features] = match sequence(x, layer, self.units) {
            Ok(dims) => dims,
            Err(fault) => return Rule::Err(fault),
        };
        if self.units == 0 {
            let fault = Fault::expected("at least 1 unit").found_num(0);
            return Rule::Err(fault.help("give the number of outputs, such as `").str(layer).str("(32)`"));
        }
        let (units, ways, row) = (self.units, self.ways(), self.row());
        // What is kept for a sample is the most of all, but for the weights, which a copy may pad to sixteen
        // times as many.
        let wide = max(features, units.saturating_mul(16));
        let fits = Shape::of([units, 32]).checked_len().is_some()
            && Shape::of([steps, wide]).checked_len().is_some()
            && Shape::of([row.saturating_mul(16), features]).checked_len().is_some()
            && Shape::of([row.saturating_mul(16), units]).checked_len().is_some();
        if !fits {
            return Rule::Err(too_large());
        }
        let y = if self.last { Shape::of([ways * units]) } else { Shape::of([steps, ways * units]) };
        // Of a group of samples the state and the gradients of one step's gates; or a second gradient of the
        // input.
        let sample = max(row + 3 * units, if ways == 2 { steps * features } else { 0 });
        // The weights in the form that each pass reads, and in a stream the state of a group.
        let [once, each] = RecurrentForward::<C>::scratch(units);
        let columns = GateColumns::<C>::scratch(features, units) + GateColumns::<C>::scratch(units, units);
        let whole = max(
            max(columns + once + passes::GROUP * each, TransposedWeights::scratch(units, row)),
            backward_input_scratch(row),
        );
        let bound = Init::Uniform(inverse_root(units));
        let mut spec = LayerSpec::output(y)
            .computes()
            .head(Head::Other)
            .squashes()
            .saves(steps * self.kept() * ways)
            .scratch(sample, whole)
            .macs((features + units).saturating_mul(row).saturating_mul(steps).saturating_mul(ways))
            .backward_input_first()
            .backward_without_y()
            .onnx(OnnxForm::Recurrent(self.onnx(operator)));
        if x.len() == 1 {
            spec = spec.backward_without_x();
        }
        if matches!(self.direction, Direction::Forward) {
            spec = spec.prepares(PreparedCell::<C>::len(features, units));
            // A mask makes outputs that are not the state.
            if x.len() == 1 {
                spec = spec.steps_by(passes::one_step::<C>, [features, units, 0, 0], false);
            }
            spec = match self.last {
                true => spec.stream_reduces(C::STATES * units),
                false => spec.stream_state(C::STATES * units).stream_blocks(),
            };
        }
        let mut way = 0;
        while way < ways {
            let names = NAMES[way];
            // Never turned, however few the gates: the kernels go through the panels themselves.
            spec = spec.filters(names[0], Shape::of([row, features]), chosen(self.init, bound));
            spec = spec.filters(names[1], Shape::of([row, units]), chosen(self.recurrent_init, bound));
            if self.bias {
                spec = spec.param(names[2], Shape::of([row]), chosen(self.bias_init, bound));
                spec = spec.param(names[3], Shape::of([row]), chosen(self.bias_init, bound));
            }
            way += 1;
        }
        spec.ok()
    }
}

/// What is wrong with the inputs, or the steps and features of the first.
const fn sequence(x: &[Shape], layer: &str, units: usize) -> Result<[usize; 2], Fault> {
    if x.len() != 1 && x.len() != 2 {
        let fault = Fault::expected("a sequence, and perhaps its mask, found ").num(x.len()).str(" inputs");
        return Err(fault
            .help("write `x -> ")
            .str(layer)
            .str("(")
            .num(units)
            .str(")` or `(x, mask) -> ")
            .str(layer)
            .str("(")
            .num(units)
            .str(")`"));
    }
    let Some([steps, features]) = x[0].dims::<2>() else {
        let fault = Fault::expected("an input of [steps, features]").found(x[0]);
        return Err(match x[0].dims::<1>() {
            Some([steps]) if x.len() == 2 && x[1].rank() == 2 && x[1].dim(0) == steps => fault
                .help("write the sequence before its mask: `(x, mask) -> ")
                .str(layer)
                .str("(")
                .num(units)
                .str(")`"),
            Some([steps]) => {
                let fault = fault.help("put `Reshape(").shape(Shape::of([steps, 1])).str(")` before it");
                fault.str(", use `Embedding` on token ids, or leave `last = true` out of a recurrent layer before it")
            }
            None => super::image::into_steps(fault, x[0]),
        });
    };
    if x[0].is_empty() && x[0].checked_len().is_some() {
        let fault = Fault::expected("an input of at least one number").found(x[0]);
        return Err(fault.help("make every dimension before it at least 1"));
    }
    if x.len() == 2 && !x[1].equals(&Shape::of([steps])) {
        let fault = Fault::expected("a mask with a number for each step, ").shape(Shape::of([steps])).found(x[1]);
        return Err(fault.help("make it 1 at a step and 0 at padding, and declare it as ").shape(Shape::of([steps])));
    }
    Ok([steps, features])
}

const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

const fn chosen(init: Option<Init>, otherwise: Init) -> Init {
    match init {
        Some(init) => init,
        None => otherwise,
    }
}
