//! What `Rnn`, `Gru` and `Lstm` share: arguments, rule, and passes. In: `[steps, features]`, and perhaps the
//! state before the first step and a mask `[steps]`; out: every step's output, or the last, and perhaps the
//! state after the last step. Nothing here may know a cell's formula.

mod gate_rows;
mod inputs;
mod passes;
mod projected;

use core::marker::PhantomData;

use self::inputs::Given;
use super::window::too_large;
use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::shape::Shape;
use crate::spec::{CarriedStep, Head, LayerSpec, OnnxForm, OnnxRecurrent};
use nn_kernels::matrix::backward_input_scratch;
use nn_kernels::recurrent::{
    Cell, GateColumns, PreparedCell, RecurrentBackward, RecurrentForward, SavedSteps, TransposedWeights,
};
use nn_kernels::simd::LANES;

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
    /// Numbers of an output, where that is a product of the units'; 0 where it is not.
    pub(super) projection: usize,
    pub(super) direction: Direction,
    pub(super) last: bool,
    pub(super) states: bool,
    /// Whether the second input is the state before the first step, where somebody has said it.
    pub(super) initial: Option<bool>,
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
/// may be computed another way, the field `other` says whether it is, and `via` how.
macro_rules! recurrent_layer {
    ($name:ident, $operator:literal $(, $other:ident: $via:ident $(::<$cell:ty>)?)?) => {
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

            /// Whether the state after the last step is given out too.
            pub const fn states(mut self, states: bool) -> Self {
                self.of.states = states;
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

            /// `[steps, features] -> [steps, units]`, or `[units]` of the last step. Further inputs are the
            /// state before the first step, `[units]`, and a mask, `[steps]`; a further output of `[units]`
            /// is each part of the state after the last step, where it is asked for.
            pub const fn rule<const N: usize>(&self, x: [crate::shape::Shape; N]) -> crate::graph::Rule {
                $(if self.$other {
                    return self.of.$via$(::<$cell>)?().rule(&x, stringify!($name), concat!($operator, "_", stringify!($other)));
                })?
                self.of.rule(&x, stringify!($name), $operator)
            }
        }

        // Of any numbers of inputs and outputs, so that it is the rule that refuses others. What is generic
        // over them is compiled where a network is declared, which may be in a debug build: it only forwards.
        impl<const N: usize, const M: usize> crate::layer::Layer<N, M> for $name {
            fn forward(&self, cx: &mut crate::layer::LayerContext, x: [&[f32]; N], mut y: [&mut [f32]; M]) {
                self.forward_any(cx, &x, &mut y);
            }

            fn backward_input(
                &self,
                cx: &mut crate::layer::LayerContext,
                x: [&[f32]; N],
                _: [&[f32]; M],
                dy: [&[f32]; M],
                mut dx: [&mut [f32]; N],
            ) {
                self.backward_input_any(cx, &x, &dy, &mut dx);
            }

            fn backward_params(
                &self,
                cx: &mut crate::layer::ReadContext,
                x: [&[f32]; N],
                _: [&[f32]; M],
                part: crate::layer::ParamGrad,
            ) {
                self.backward_params_any(cx, &x, part);
            }

            fn step(&self, cx: &mut crate::layer::LayerContext, x: [&[f32]; N], mut y: [&mut [f32]; M]) {
                self.step_any(cx, &x, &mut y);
            }

            fn prepare(&self, cx: &mut crate::layer::LayerContext) {
                self.prepare_any(cx);
            }
        }

        impl $name {
            fn forward_any(&self, cx: &mut crate::layer::LayerContext, x: &[&[f32]], y: &mut [&mut [f32]]) {
                $(if self.$other {
                    return self.of.$via$(::<$cell>)?().forward(cx, x, y);
                })?
                self.of.forward(cx, x, y);
            }

            fn backward_input_any(
                &self,
                cx: &mut crate::layer::LayerContext,
                x: &[&[f32]],
                dy: &[&[f32]],
                dx: &mut [&mut [f32]],
            ) {
                $(if self.$other {
                    return self.of.$via$(::<$cell>)?().backward_input(cx, x, dy, dx);
                })?
                self.of.backward_input(cx, x, dy, dx);
            }

            fn backward_params_any(
                &self,
                cx: &mut crate::layer::ReadContext,
                x: &[&[f32]],
                part: crate::layer::ParamGrad,
            ) {
                $(if self.$other {
                    return self.of.$via$(::<$cell>)?().backward_params(cx, x, part);
                })?
                self.of.backward_params(cx, x, part);
            }

            fn step_any(&self, cx: &mut crate::layer::LayerContext, x: &[&[f32]], y: &mut [&mut [f32]]) {
                $(if self.$other {
                    return self.of.$via$(::<$cell>)?().step(cx, x, &mut *y[0]);
                })?
                self.of.step(cx, x, &mut *y[0]);
            }

            fn prepare_any(&self, cx: &mut crate::layer::LayerContext) {
                $(if self.$other {
                    return self.of.$via$(::<$cell>)?().prepare(cx);
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
            projection: 0,
            direction: Direction::Forward,
            last: false,
            states: false,
            initial: None,
            bias: true,
            init: None,
            recurrent_init: None,
            bias_init: None,
            cell: PhantomData,
        }
    }

    /// The same of another cell.
    pub(super) const fn of_cell<D: Cell>(&self) -> Recurrent<D> {
        let Recurrent { units, projection, direction, last, states, initial, bias, .. } = *self;
        let Recurrent { init, recurrent_init, bias_init, .. } = *self;
        let cell = PhantomData;
        Recurrent { units, projection, direction, last, states, initial, bias, init, recurrent_init, bias_init, cell }
    }

    const fn onnx(&self, operator: &'static str, given: Given) -> OnnxRecurrent {
        let direction = match self.direction {
            Direction::Forward => "forward",
            Direction::Backward => "reverse",
            Direction::Both => "bidirectional",
        };
        let initial = if given.states { C::STATES } else { 0 };
        let states = if self.states { C::STATES } else { 0 };
        OnnxRecurrent { operator, units: self.units, direction, last: self.last, initial, states, mask: given.mask }
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
        let ([steps, features], given) = match self.given(x, layer) {
            Ok(found) => found,
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
        let of_state = C::STATES * units;
        let goes_back = self.states || given.states;
        let backward = RecurrentBackward::<C>::scratch(units) + if goes_back { of_state } else { 0 };
        let sample = max(max(row + 3 * units, backward), if ways == 2 { steps * features } else { 0 });
        // The weights in the form that each pass reads, and in a stream the state of a group.
        let [once, each] = RecurrentForward::<C>::scratch(units);
        let columns = GateColumns::<C>::scratch(features, units) + GateColumns::<C>::scratch(units, units);
        let whole = max(
            max(columns + once + passes::GROUP * each, TransposedWeights::scratch(units, row)),
            backward_input_scratch(row),
        );
        let bound = Init::Uniform(inverse_root(units));
        let state = Shape::of([ways * units]);
        let spec = match (self.states, C::STATES) {
            (false, _) => LayerSpec::output(y),
            (true, 1) => LayerSpec::outputs([y, state]),
            (true, _) => LayerSpec::outputs([y, state, state]),
        };
        let mut spec = spec
            .computes()
            .head(Head::Other)
            .squashes()
            .saves(steps * self.kept() * ways)
            .scratch(sample, whole)
            .macs((features + units).saturating_mul(row).saturating_mul(steps).saturating_mul(ways))
            .backward_input_first()
            .backward_without_y()
            .onnx(OnnxForm::Recurrent(self.onnx(operator, given)));
        if x.len() == 1 {
            spec = spec.backward_without_x();
        }
        let forward = matches!(self.direction, Direction::Forward);
        if forward && !given.states {
            spec = spec.carries_over(of_state);
        }
        // A stream has a state of its own, in whole vectors.
        if forward && !goes_back {
            spec = spec.prepares(PreparedCell::<C>::len(features, units));
            // A mask makes outputs that are not the state.
            if x.len() == 1 && !C::RESETS_FIRST {
                spec = spec.steps_by(passes::one_step::<C>, [features, units, 0, 0], CarriedStep::Cell(C::KIND));
            }
            spec = match self.last {
                true => spec.stream_reduces(C::STATES * units.next_multiple_of(LANES)),
                false => spec.stream_state(C::STATES * units.next_multiple_of(LANES)).stream_blocks(),
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

const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

const fn chosen(init: Option<Init>, otherwise: Init) -> Init {
    match init {
        Some(init) => init,
        None => otherwise,
    }
}
