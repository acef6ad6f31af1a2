//! The passes of a recurrent layer, on the recurrence of the kernels. In: a batch. Out: outputs, or
//! gradients. What is saved is laid out sample after sample, so that gradients of parameters are summed in
//! the order of samples.

use core::marker::PhantomData;

use super::gate_rows::RowsOfGates;
use super::inputs::Given;
use super::{Direction, Recurrent};
use crate::layer::{LayerContext, ParamGrad, ReadContext};
use crate::spec::OneStep;
use nn_kernels::matrix::{Panels, backward_input, backward_input_scratch};
use nn_kernels::recurrent::{
    Cell, GateColumns, GateWeights, PreparedCell, RecurrentBackward, RecurrentBlock, RecurrentForward, RecurrentStep,
    SavedSteps, Sequence, StateRows, TransposedWeights,
};
use nn_kernels::simd::LANES;

/// Samples that go through the steps together: enough to fill the product's tiles, few enough to stay in
/// cache.
pub(super) const GROUP: usize = 16;

impl<C: Cell> Recurrent<C> {
    fn sequence(&self, cx: &LayerContext, way: usize) -> Sequence {
        Sequence {
            steps: cx.input_shape(0).dim(0),
            units: self.units,
            reverse: way == 1 || self.direction == Direction::Backward,
            last: self.last,
            width: self.ways() * self.units,
            at: way * self.units,
        }
    }

    /// Parameter `k` of a way, counted as its names are.
    fn index(&self, way: usize, k: usize) -> usize {
        way * if self.bias { 4 } else { 2 } + k
    }

    fn bias<'a>(&self, cx: &LayerContext<'a>, way: usize, k: usize) -> Option<&'a [f32]> {
        self.bias.then(|| cx.param(self.index(way, k)))
    }

    /// What the inputs are, of which there are so many.
    fn inputs_of(&self, cx: &LayerContext<'_, impl Sized>, inputs: usize) -> Given {
        self.roles(inputs, cx.input_shape(0).dim(0), cx.input_shape(1))
    }

    /// Part `k` of the state before the first step, where it is not 0: of an input, or what the window before
    /// has left.
    fn start<'a>(
        &self,
        cx: &LayerContext<'a, impl Sized>,
        (x, given): (&[&'a [f32]], Given),
        (way, k): (usize, usize),
    ) -> Option<StateRows<'a>> {
        if given.states {
            return Some(StateRows { numbers: x[1 + k], width: self.width(), at: way * self.units });
        }
        if cx.spec.carried_len() == 0 {
            return None;
        }
        cx.carried.before().map(|(numbers, width, at)| StateRows { numbers, width, at: at + k * self.units })
    }

    /// The layouts of the weights of the inputs and of the state.
    fn panels(&self, cx: &LayerContext<'_, impl Sized>) -> [Panels; 2] {
        [cx.input_shape(0).dim(1), self.units].map(|rows| Panels::new(rows, self.row()))
    }

    /// The weights from the inputs to the gates.
    fn of_inputs<'a>(&self, cx: &LayerContext<'a>, way: usize) -> GateWeights<'a> {
        let [panels, _] = self.panels(cx);
        GateWeights { panels, w: cx.param(self.index(way, 0)), bias: self.bias(cx, way, 2) }
    }

    /// The weights from the state to the gates.
    fn of_state<'a>(&self, cx: &LayerContext<'a>, way: usize) -> GateWeights<'a> {
        let [_, panels] = self.panels(cx);
        GateWeights { panels, w: cx.param(self.index(way, 1)), bias: self.bias(cx, way, 3) }
    }

    /// What one direction saves, of `rows` steps in all.
    fn saved_of<'a>(&self, saved: &'a mut [f32], rows: usize, way: usize) -> SavedSteps<'a> {
        let one = rows * self.kept();
        let (gates, rest) = saved[way * one..][..one].split_at_mut(rows * self.row());
        let (products, rest) = rest.split_at_mut(if C::SPLIT { rows * self.row() } else { 0 });
        let (before, rest) = rest.split_at_mut(rows * self.units);
        let (resets, candidates) = rest.split_at_mut(if C::RESETS_FIRST { rows * self.units } else { 0 });
        SavedSteps { gates, products, before, resets, candidates }
    }

    /// The weights of the inputs and of the state in the order that forward reads them, and what is left of
    /// the scratch.
    fn columns<'a>(
        &self,
        weights: [GateWeights<'a>; 2],
        scratch: &'a mut [f32],
    ) -> ([GateColumns<'a, C>; 2], &'a mut [f32]) {
        let mut left = scratch;
        let columns = weights.map(|weights| {
            let len = GateColumns::<C>::scratch(weights.panels.rows(), self.units);
            let (copy, rest) = core::mem::take(&mut left).split_at_mut(len);
            left = rest;
            GateColumns::new(&weights, copy)
        });
        (columns, left)
    }

    /// Lays out the weights as steps read them.
    pub(in crate::layers) fn prepare(&self, cx: &mut LayerContext) {
        if !cx.saved.is_empty() {
            let both = [self.of_inputs(cx, 0), self.of_state(cx, 0)];
            let len = PreparedCell::<C>::len(both[0].panels.rows(), self.units);
            PreparedCell::<C>::write(cx.isa, both, &mut cx.saved[..len]);
        }
    }

    pub(in crate::layers) fn forward(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [&mut [f32]]) {
        let given = self.inputs_of(cx, x.len());
        let (y, states) = y.split_at_mut(1);
        for way in 0..self.ways() {
            let (sequence, inputs, state) = (self.sequence(cx, way), self.of_inputs(cx, way), self.of_state(cx, way));
            let carried = cx.carried;
            let start = |k| if k < C::STATES { self.start(cx, (x, given), (way, k)) } else { None };
            let starts = [start(0), start(1)];
            let ([inputs, weights], scratch) = self.columns([inputs, state], cx.scratch);
            let [once, each] = RecurrentForward::<C>::scratch(self.units);
            let mut kept = match cx.saved.is_empty() {
                true => None,
                false => Some(self.saved_of(cx.saved, cx.batch * sequence.steps, way)),
            };
            for first in (0..cx.batch).step_by(GROUP) {
                let group = Group { first, samples: GROUP.min(cx.batch - first) };
                let (state, scratch) = scratch.split_at_mut(group.samples * C::STATES * self.units);
                for (part, start) in state.chunks_exact_mut(group.samples * self.units).zip(starts) {
                    let Some(start) = start else {
                        part.fill(0.0);
                        continue;
                    };
                    for (i, part) in part.chunks_exact_mut(self.units).enumerate() {
                        part.copy_from_slice(&start.row(first + i)[..self.units]);
                    }
                }
                RecurrentForward {
                    sequence,
                    x: group.of(x[0], cx.batch),
                    inputs,
                    weights,
                    starts: None,
                    saved: kept.as_mut().map(|kept| group.saved_slices(kept, cx.batch)),
                    mask: given.mask.map(|mask| group.of(x[mask], cx.batch)),
                    state,
                    scratch: &mut scratch[..once + group.samples * each],
                    y: group.of_mut(y[0], cx.batch),
                }
                .run(cx.isa);
                for (k, part) in state.chunks_exact(group.samples * self.units).enumerate() {
                    for (i, part) in part.chunks_exact(self.units).enumerate() {
                        if let Some(to) = states.get_mut(k) {
                            let at = (first + i) * self.width() + way * self.units;
                            to[at..at + self.units].copy_from_slice(part);
                        }
                        if cx.spec.carried_len() > 0 {
                            carried.write(first + i, k * self.units, part);
                        }
                    }
                }
            }
        }
    }

    /// Steps of each stream, as many as the pass is over.
    pub(in crate::layers) fn step(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [f32]) {
        let (units, features) = (self.units, cx.input_shape(0).dim(1));
        let saved = core::mem::take(&mut cx.saved);
        let carried = saved.chunks_exact_mut(C::STATES * units.next_multiple_of(LANES));
        let prepared = cx.prepared().map(|prepared| &prepared[..PreparedCell::<C>::len(features, units)]);
        if let (Some(prepared), [_], false) = (prepared, x, C::RESETS_FIRST) {
            for (sample, state) in carried.take(cx.batch).enumerate() {
                let one = Group { first: sample, samples: 1 };
                let (x, y) = (one.of(x[0], cx.batch), one.of_mut(y, cx.batch));
                RecurrentBlock { features, units, x, prepared, state, y, cell: PhantomData::<C> }.run(cx.isa);
            }
            return;
        }
        let sequence = Sequence { steps: cx.steps, ..self.sequence(cx, 0) };
        let ([inputs, weights], starts, scratch) = match prepared {
            Some(prepared) => {
                let PreparedCell { inputs, weights, starts } = PreparedCell::of(features, units, prepared);
                ([inputs, weights], Some(starts), &mut *cx.scratch)
            }
            None => {
                let both = [self.of_inputs(cx, 0), self.of_state(cx, 0)];
                let (columns, scratch) = self.columns(both, cx.scratch);
                (columns, None, scratch)
            }
        };
        let [once, each] = RecurrentForward::<C>::scratch(units);
        // There is room for the states of a group.
        let (state, scratch) = scratch.split_at_mut(C::STATES * units);
        for (sample, carried) in carried.take(cx.batch).enumerate() {
            let one = Group { first: sample, samples: 1 };
            let parts = carried.chunks_exact_mut(units.next_multiple_of(LANES));
            state
                .chunks_exact_mut(units)
                .zip(parts)
                .for_each(|(part, carried)| part.copy_from_slice(&carried[..units]));
            RecurrentForward {
                sequence,
                x: one.of(x[0], cx.batch),
                inputs,
                weights,
                starts,
                saved: None,
                mask: x.get(1).map(|mask| one.of(mask, cx.batch)),
                state: &mut *state,
                scratch: &mut scratch[..once + each],
                y: one.of_mut(y, cx.batch),
            }
            .run(cx.isa);
            let parts = carried.chunks_exact_mut(units.next_multiple_of(LANES));
            state.chunks_exact(units).zip(parts).for_each(|(part, carried)| carried[..units].copy_from_slice(part));
        }
    }

    pub(in crate::layers) fn backward_input(
        &self,
        cx: &mut LayerContext,
        x: &[&[f32]],
        dy: &[&[f32]],
        dx: &mut [&mut [f32]],
    ) {
        let given = self.inputs_of(cx, x.len());
        let (dx, others) = dx.split_at_mut(1);
        let (dstates, dmask) = others.split_at_mut(if given.states { C::STATES } else { 0 });
        dmask.iter_mut().for_each(|dmask| dmask.fill(0.0));
        let goes_back = self.states || given.states;
        for way in 0..self.ways() {
            let (sequence, inputs, state) = (self.sequence(cx, way), self.of_inputs(cx, way), self.of_state(cx, way));
            let start = match C::STATES {
                1 => None,
                _ => self.start(cx, (x, given), (way, 0)),
            };
            let mut kept = self.saved_of(cx.saved, cx.batch * sequence.steps, way);
            let (transposed, scratch) = cx.scratch.split_at_mut(TransposedWeights::scratch(self.units, self.row()));
            let weights = TransposedWeights::new(cx.isa, &state, transposed);
            // In reverse order: what forward saved last is still in cache, and what is written last
            // `backward_params` reads first.
            for first in (0..cx.batch).step_by(GROUP).rev() {
                let group = Group { first, samples: GROUP.min(cx.batch - first) };
                let of_state = group.samples * self.units;
                let (dstate, scratch) = scratch.split_at_mut(if goes_back { C::STATES * of_state } else { 0 });
                for (k, part) in dstate.chunks_exact_mut(of_state).enumerate() {
                    match dy.get(1 + k).filter(|dy| !dy.is_empty()) {
                        None => part.fill(0.0),
                        Some(dy) => {
                            for (i, part) in part.chunks_exact_mut(self.units).enumerate() {
                                let at = (first + i) * self.width() + way * self.units;
                                part.copy_from_slice(&dy[at..at + self.units]);
                            }
                        }
                    }
                }
                RecurrentBackward {
                    sequence,
                    weights,
                    saved: group.saved_slices(&mut kept, cx.batch),
                    mask: given.mask.map(|mask| group.of(x[mask], cx.batch)),
                    dy: group.of(dy[0], cx.batch),
                    start: start.map(|start| StateRows { numbers: &start.numbers[first * start.width..], ..start }),
                    dstate: goes_back.then_some(&mut *dstate),
                    scratch: &mut scratch[..group.samples * RecurrentBackward::<C>::scratch(self.units)],
                    cell: PhantomData::<C>,
                }
                .run(cx.isa);
                for (k, to) in dstates.iter_mut().enumerate().filter(|(_, to)| !to.is_empty()) {
                    for (i, part) in dstate[k * of_state..][..of_state].chunks_exact(self.units).enumerate() {
                        let at = (first + i) * self.width() + way * self.units;
                        to[at..at + self.units].copy_from_slice(part);
                    }
                }
            }
            if dx[0].is_empty() {
                continue;
            }
            let (scratch, second) = cx.scratch.split_at_mut(backward_input_scratch(self.row()));
            if way == 0 {
                backward_input(cx.isa, inputs.panels, kept.gates, inputs.w, dx[0], scratch);
            } else {
                let second = &mut second[..dx[0].len()];
                backward_input(cx.isa, inputs.panels, kept.gates, inputs.w, second, scratch);
                cx.isa.add(second, dx[0]);
            }
        }
    }

    pub(in crate::layers) fn backward_params(&self, cx: &mut ReadContext, x: &[&[f32]], mut part: ParamGrad) {
        let (mask, x) = (self.inputs_of(cx, x.len()).mask.map(|mask| x[mask]), x[0]);
        for way in 0..self.ways() {
            let rows = cx.batch * cx.input_shape(0).dim(0);
            let [inputs, state] = self.panels(cx);
            let (gates, rest) = cx.saved[way * rows * self.kept()..].split_at(rows * self.row());
            let (of_state, rest) = if C::SPLIT { rest.split_at(rows * self.row()) } else { (gates, rest) };
            let (before, rest) = rest.split_at(rows * self.units);
            // Where the state goes through the first gate, its product at the last gate is another one.
            let again = if C::RESETS_FIRST { rest.split_at(rows * self.units) } else { (&[][..], &[][..]) };
            let work = RowsOfGates { mask, row: self.row(), sums: cx.row_sums(cx.input_shape(0).dim(0)) };
            let [of_inputs, of_states] = [0, 1].map(|k| self.index(way, k));
            let products = [
                (of_inputs, inputs, x, gates),
                (of_states, state, before, of_state),
                (of_states, state, again.0, &again.1[..again.0.len() * C::GATES]),
            ];
            let products = &products[..if C::RESETS_FIRST { 3 } else { 2 }];
            let biases = [(of_inputs + 2, gates), (of_states + 2, if C::RESETS_FIRST { gates } else { of_state })];
            if work.sums.adds_elsewhere() {
                for &(k, panels, from, dy) in products {
                    let (range, dw) = part.slice(cx, k);
                    work.sums.add(dw, |rows, of, dw, blocks| {
                        let range = range.start + of.start..range.start + of.end;
                        work.blocks(rows, |block| work.weight(panels, [from, dy], &block, &range, dw, blocks));
                    });
                }
                for (k, dy) in biases.into_iter().filter(|_| self.bias) {
                    let (range, db) = part.slice(cx, k);
                    work.sums.add(db, |rows, of, db, blocks| {
                        let range = range.start + of.start..range.start + of.end;
                        work.blocks(rows, |block| work.bias(dy, &block, &range, db, blocks));
                    });
                }
                continue;
            }
            // Block by block through all parameters, while the gradients of the gates are in cache.
            let in_blocks = work.sums.unit > 0;
            for unit in work.sums.units() {
                work.blocks(unit, |block| {
                    for &(k, panels, from, dy) in products {
                        let (range, dw) = part.slice(cx, k);
                        work.weight(panels, [from, dy], &block, &range, dw, in_blocks);
                    }
                    for (k, dy) in biases.into_iter().filter(|_| self.bias) {
                        let (range, db) = part.slice(cx, k);
                        work.bias(dy, &block, &range, db, in_blocks);
                    }
                });
            }
        }
    }
}

/// One step of a stream, or of several, without a mask.
pub(super) fn one_step<C: Cell>(step: OneStep) {
    let OneStep { isa, voices, site, prepared, carried, x, y, .. } = step;
    let [features, units, ..] = site.sizes;
    RecurrentStep {
        features,
        units,
        x,
        prepared: &prepared[site.prepared.start..][..PreparedCell::<C>::len(features, units)],
        state: &mut carried[site.carried.start..][..voices * C::STATES * units.next_multiple_of(LANES)],
        y,
        cell: PhantomData::<C>,
    }
    .run(isa);
}

/// Some neighbouring samples of a batch.
#[derive(Clone, Copy)]
pub(super) struct Group {
    pub(super) first: usize,
    pub(super) samples: usize,
}

impl Group {
    pub(super) fn of<'a>(&self, all: &'a [f32], batch: usize) -> &'a [f32] {
        let one = all.len() / batch;
        &all[self.first * one..][..self.samples * one]
    }

    pub(super) fn of_mut<'a>(&self, all: &'a mut [f32], batch: usize) -> &'a mut [f32] {
        let one = all.len() / batch;
        &mut all[self.first * one..][..self.samples * one]
    }

    fn saved_slices<'a>(&self, all: &'a mut SavedSteps, batch: usize) -> SavedSteps<'a> {
        SavedSteps {
            gates: self.of_mut(all.gates, batch),
            products: self.of_mut(all.products, batch),
            before: self.of_mut(all.before, batch),
            resets: self.of_mut(all.resets, batch),
            candidates: self.of_mut(all.candidates, batch),
        }
    }
}
