//! The passes of a recurrent layer: from a batch of sequences to the recurrence of the kernels. In: a batch; out: outputs, or gradients.
//! What is kept lies sample after sample, so that gradients of parameters are added in their order. Never a formula of a cell.

use core::marker::PhantomData;
use core::ops::Range;

use super::{Direction, Recurrent};
use crate::kernels::matrix::{Panels, product, pull_bias, pull_w, pull_x, pull_x_scratch};
use crate::kernels::recurrent::{Backward, Cell, Forward, Walk, Weights};
use crate::kernels::simd::Isa;
use crate::layer::{Cx, Look, Part};

/// Samples that go through the steps together: enough to fill the product's tiles, few enough that their gates stay in the cache.
const GROUP: usize = 32;

/// Steps whose gradients are added together, so that they are read from far only once.
const ROWS: usize = 64;

/// What is kept of all samples, one way: the gates, the cell's extras, and the output before each step.
struct Kept<'a> {
    gates: &'a mut [f32],
    extras: &'a mut [f32],
    before: &'a mut [f32],
}

impl<C: Cell> Recurrent<C> {
    fn walk(&self, cx: &Cx, way: usize) -> Walk {
        Walk {
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

    fn bias<'a>(&self, cx: &Cx<'a>, way: usize, k: usize) -> Option<&'a [f32]> {
        self.bias.then(|| cx.param(self.index(way, k)))
    }

    /// How the weights between the inputs and the gates lie, and those between the state and the gates.
    fn panels(&self, cx: &Cx<'_, impl Sized>) -> [Panels; 2] {
        [cx.input_shape(0).dim(1), self.units].map(|rows| Panels::fit(rows, self.row()))
    }

    /// The weights between the inputs and the gates.
    fn of_inputs<'a>(&self, cx: &Cx<'a>, way: usize) -> Weights<'a> {
        let [panels, _] = self.panels(cx);
        Weights { panels, w: cx.param(self.index(way, 0)), bias: self.bias(cx, way, 2) }
    }

    /// The weights between the state and the gates.
    fn of_state<'a>(&self, cx: &Cx<'a>, way: usize) -> Weights<'a> {
        let [_, panels] = self.panels(cx);
        Weights { panels, w: cx.param(self.index(way, 1)), bias: self.bias(cx, way, 3) }
    }

    /// What one way keeps, of `rows` steps in all.
    fn kept_of<'a>(&self, saved: &'a mut [f32], rows: usize, way: usize) -> Kept<'a> {
        let one = rows * self.kept();
        let (gates, rest) = saved[way * one..][..one].split_at_mut(rows * self.row());
        let (extras, before) = rest.split_at_mut(rows * C::EXTRAS * self.units);
        Kept { gates, extras, before }
    }

    pub(in crate::layers) fn forward(&self, cx: &mut Cx, x: &[&[f32]], y: &mut [f32]) {
        for way in 0..self.ways() {
            let (walk, inputs, weights) = (self.walk(cx, way), self.of_inputs(cx, way), self.of_state(cx, way));
            let mut kept = match cx.saved.is_empty() {
                true => None,
                false => Some(self.kept_of(cx.saved, cx.batch * walk.steps, way)),
            };
            for first in (0..cx.batch).step_by(GROUP) {
                let group = Group { first, samples: GROUP.min(cx.batch - first) };
                let (state, scratch) = cx.scratch.split_at_mut(group.samples * C::STATES * self.units);
                let (scratch, rest) = scratch.split_at_mut(group.samples * self.row());
                let (gates, keep) = match &mut kept {
                    Some(kept) => {
                        let keep = [group.of_mut(kept.extras, cx.batch), group.of_mut(kept.before, cx.batch)];
                        (group.of_mut(kept.gates, cx.batch), Some(keep))
                    }
                    None => (&mut rest[..group.samples * walk.steps * self.row()], None),
                };
                multiply(cx.isa, &inputs, group.of(x[0], cx.batch), gates);
                state.fill(0.0);
                Forward {
                    walk,
                    weights,
                    gates,
                    keep,
                    mask: x.get(1).map(|mask| group.of(mask, cx.batch)),
                    state,
                    scratch,
                    y: group.of_mut(y, cx.batch),
                    cell: PhantomData::<C>,
                }
                .run(cx.isa);
            }
        }
    }

    pub(in crate::layers) fn step(&self, cx: &mut Cx, x: &[&[f32]], y: &mut [f32]) {
        let (inputs, weights) = (self.of_inputs(cx, 0), self.of_state(cx, 0));
        let walk = Walk { steps: 1, ..self.walk(cx, 0) };
        // What there is of scratch in a stream holds the gates of so many samples, twice.
        let at_once = pull_x_scratch(self.row()) / (2 * self.row());
        let carried = &mut cx.saved[..cx.batch * C::STATES * self.units];
        for first in (0..cx.batch).step_by(at_once) {
            let group = Group { first, samples: at_once.min(cx.batch - first) };
            let (gates, scratch) =
                cx.scratch[..2 * group.samples * self.row()].split_at_mut(group.samples * self.row());
            multiply(cx.isa, &inputs, group.of(x[0], cx.batch), gates);
            Forward {
                walk,
                weights,
                gates,
                keep: None,
                mask: x.get(1).map(|mask| group.of(mask, cx.batch)),
                state: group.of_mut(carried, cx.batch),
                scratch,
                y: group.of_mut(y, cx.batch),
                cell: PhantomData::<C>,
            }
            .run(cx.isa);
        }
    }

    pub(in crate::layers) fn pull_input(&self, cx: &mut Cx, x: &[&[f32]], dy: &[f32], dx: &mut [&mut [f32]]) {
        let (dx, dmask) = dx.split_at_mut(1);
        dmask.iter_mut().for_each(|dmask| dmask.fill(0.0));
        for way in 0..self.ways() {
            let (walk, inputs, weights) = (self.walk(cx, way), self.of_inputs(cx, way), self.of_state(cx, way));
            let kept = self.kept_of(cx.saved, cx.batch * walk.steps, way);
            for first in (0..cx.batch).step_by(GROUP) {
                let group = Group { first, samples: GROUP.min(cx.batch - first) };
                let room = group.samples * (C::GATES + C::STATES + 1) * self.units + pull_x_scratch(self.row());
                Backward {
                    walk,
                    weights,
                    gates: group.of_mut(kept.gates, cx.batch),
                    extras: group.of_mut(kept.extras, cx.batch),
                    before: group.of(kept.before, cx.batch),
                    mask: x.get(1).map(|mask| group.of(mask, cx.batch)),
                    dy: group.of(dy, cx.batch),
                    scratch: &mut cx.scratch[..room],
                    cell: PhantomData::<C>,
                }
                .run(cx.isa);
            }
            if dx[0].is_empty() {
                continue;
            }
            let (scratch, second) = cx.scratch.split_at_mut(pull_x_scratch(self.row()));
            if way == 0 {
                pull_x(cx.isa, inputs.panels, kept.gates, inputs.w, dx[0], scratch);
            } else {
                let second = &mut second[..dx[0].len()];
                pull_x(cx.isa, inputs.panels, kept.gates, inputs.w, second, scratch);
                cx.isa.add(second, dx[0]);
            }
        }
    }

    pub(in crate::layers) fn pull_params(&self, cx: &mut Look, x: &[f32], mut part: Part) {
        for way in 0..self.ways() {
            let rows = cx.batch * cx.input_shape(0).dim(0);
            let [inputs, state] = self.panels(cx);
            let (gates, rest) = cx.saved[way * rows * self.kept()..].split_at(rows * self.row());
            let (extras, rest) = rest.split_at(rows * C::EXTRAS * self.units);
            let before = &rest[..rows * self.units];
            let of_state = if C::SPLIT { extras } else { gates };
            // Block by block through all parameters, while the gradients of the gates are near; each sum goes on where it was.
            for first in (0..rows).step_by(ROWS) {
                let block = first..rows.min(first + ROWS);
                let [x, before] = [(x, inputs), (before, state)].map(|(from, p)| cut(from, p.rows(), &block));
                let [gates, of_state] = [gates, of_state].map(|from| cut(from, self.row(), &block));
                for (k, panels, from, dy) in [(0, inputs, x, gates), (1, state, before, of_state)] {
                    let (range, dw) = part.of(cx, self.index(way, k));
                    if !range.is_empty() {
                        pull_w(cx.isa, panels, from, dy, range, dw);
                    }
                }
                for (k, dy) in [(2, gates), (3, of_state)].into_iter().filter(|_| self.bias) {
                    let (range, db) = part.of(cx, self.index(way, k));
                    if !range.is_empty() {
                        pull_bias(cx.isa, self.row(), dy, range, db);
                    }
                }
            }
        }
    }
}

/// Some rows of a matrix of this width.
fn cut<'a>(all: &'a [f32], width: usize, rows: &Range<usize>) -> &'a [f32] {
    &all[rows.start * width..rows.end * width]
}

/// Some neighbouring samples of a batch.
#[derive(Clone, Copy)]
struct Group {
    first: usize,
    samples: usize,
}

impl Group {
    fn of<'a>(&self, all: &'a [f32], batch: usize) -> &'a [f32] {
        let one = all.len() / batch;
        &all[self.first * one..][..self.samples * one]
    }

    fn of_mut<'a>(&self, all: &'a mut [f32], batch: usize) -> &'a mut [f32] {
        let one = all.len() / batch;
        &mut all[self.first * one..][..self.samples * one]
    }
}

/// The inputs' part of the gates, for all steps at once.
fn multiply(isa: Isa, by: &Weights, x: &[f32], gates: &mut [f32]) {
    product(isa, by.panels, x, by.w, by.bias, f32::NEG_INFINITY, gates);
}
