//! `Lstm(projection = n)`: the output, which goes round, is a product of the units'. In: a batch; out:
//! outputs, or gradients. A step of a group of samples at a time, by the products of dense layers and the
//! kernels' cell. What is saved is laid out as that of other recurrent layers.

mod way;

use super::gate_rows::RowsOfGates;
use super::inputs::Given;
use super::passes::{GROUP, Group};
use super::{Direction, NAMES, Recurrent, chosen, max};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::layer::{LayerContext, ParamGrad, ReadContext};
use crate::layers::window::too_large;
use crate::shape::Shape;
use crate::spec::LayerSpec;
use nn_kernels::matrix::{Panels, backward_input, backward_input_scratch};
use nn_kernels::recurrent::{GateWeights, Lstm};
use way::{ProjectedSteps, Way, pieces};

/// Names of the projections of both ways.
const OUT: [&str; 2] = ["weight_hr", "weight_hr_reverse"];

/// An `Lstm` whose outputs are a product.
pub(in crate::layers) struct Projected(Recurrent<Lstm>);

impl Recurrent<Lstm> {
    pub(in crate::layers) const fn through_projection(&self) -> Projected {
        Projected(*self)
    }
}

impl Projected {
    /// Numbers kept of one step, one way: gates, units, cells, outputs before, gradients of outputs.
    const fn kept(&self) -> [usize; 5] {
        let Recurrent { units, projection, .. } = self.0;
        [4 * units, units, units, projection, projection]
    }

    const fn kept_in_all(&self) -> usize {
        6 * self.0.units + 2 * self.0.projection
    }

    /// Scratch of a group, forward: inputs, both products, units, outputs, and the state.
    const fn forward_scratch(&self, features: usize) -> usize {
        GROUP * (features + 10 * self.0.units + 2 * self.0.projection)
    }

    /// Scratch of a group, backward: gates, units, outputs, and the gradients of the state.
    const fn backward_scratch(&self) -> usize {
        let Recurrent { units, projection, .. } = self.0;
        GROUP * (6 * units + 2 * projection) + backward_input_scratch(max(4 * units, projection))
    }

    pub(in crate::layers) const fn rule(&self, x: &[Shape], layer: &str, _: &str) -> Rule {
        let Recurrent { units, projection, .. } = self.0;
        if projection == 0 || projection >= units {
            let fault =
                Fault::expected("a projection to fewer outputs than the ").num(units).str(" units, and at least 1");
            let fault = fault.found_num(projection);
            return Rule::Err(match units {
                0 | 1 => fault.help("give more units, such as `Lstm(32, projection = 16)`"),
                _ => {
                    fault.help("write `").str(layer).str("(").num(units).str(", projection = ").num(units / 2).str(")`")
                }
            });
        }
        let ([steps, features], given) = match self.0.given(x, layer) {
            Ok(found) => found,
            Err(fault) => return Rule::Err(fault),
        };
        let ways = self.0.ways();
        if ways == 2 && self.0.bias {
            // Of each way five, and a layer has no more than eight.
            let fault = Fault::expected("one way, or no bias, beside a projection, found both ways with biases");
            let fault = fault.help("make two layers, `").str(layer).str("(").num(units).str(", projection = ");
            let fault = fault.num(projection).str(", direction = Backward)` the second, and join them by `Concat");
            return Rule::Err(fault.str(if self.0.last { "`" } else { "(axis = 1)`" }));
        }
        let wide = max(features, units.saturating_mul(16));
        let fits = Shape::of([steps, wide]).checked_len().is_some()
            && Shape::of([units.saturating_mul(64), max(features, units)]).checked_len().is_some();
        if !fits {
            return Rule::Err(too_large());
        }
        let row = 4 * units;
        let y = if self.0.last { Shape::of([self.0.width()]) } else { Shape::of([steps, self.0.width()]) };
        let spec = match self.0.states {
            false => LayerSpec::output(y),
            true => LayerSpec::outputs([y, Shape::of([self.0.state_width(0)]), Shape::of([self.0.state_width(1)])]),
        };
        let products = (features + projection).saturating_mul(row).saturating_add(units * projection);
        let mut spec = spec
            .computes()
            .saves(steps * self.kept_in_all() * ways)
            .scratch(
                if ways == 2 { steps * features } else { 0 },
                max(max(self.forward_scratch(features), self.backward_scratch()), backward_input_scratch(row)),
            )
            .macs(products.saturating_mul(steps).saturating_mul(ways))
            .backward_input_first()
            .backward_without_y();
        if x.len() == 1 {
            spec = spec.backward_without_x();
        }
        if matches!(self.0.direction, Direction::Forward) && !given.states {
            let of_state = projection + units;
            spec = spec.carries_over(of_state);
            // A stream has a state of its own.
            if !self.0.states {
                spec = match self.0.last {
                    true => spec.stream_reduces(of_state),
                    false => spec.stream_state(of_state).stream_blocks(),
                };
            }
        }
        let bound = Init::Uniform(super::inverse_root(units));
        let mut way = 0;
        while way < ways {
            let names = NAMES[way];
            spec = spec.filters(names[0], Shape::of([row, features]), chosen(self.0.init, bound));
            spec = spec.filters(names[1], Shape::of([row, projection]), chosen(self.0.recurrent_init, bound));
            if self.0.bias {
                spec = spec.param(names[2], Shape::of([row]), chosen(self.0.bias_init, bound));
                spec = spec.param(names[3], Shape::of([row]), chosen(self.0.bias_init, bound));
            }
            spec = spec.filters(OUT[way], Shape::of([projection, units]), bound);
            way += 1;
        }
        spec.ok()
    }

    /// Parameter `k` of a way: the weights of inputs and state, both biases, the projection.
    fn index(&self, way: usize, k: usize) -> usize {
        let skipped = if self.0.bias { 0 } else { 2 };
        way * (5 - skipped) + if k == 4 { 4 - skipped } else { k }
    }

    /// The layouts of the weights of inputs and state, and of the projection.
    fn panels(&self, features: usize) -> [Panels; 3] {
        let Recurrent { units, projection, .. } = self.0;
        [Panels::new(features, 4 * units), Panels::new(projection, 4 * units), Panels::new(units, projection)]
    }

    fn way<'a>(&self, cx: &LayerContext<'a>, way: usize, steps: usize) -> Way<'a> {
        let features = cx.input_shape(0).dim(1);
        let [inputs, state, out] = self.panels(features);
        let bias = |k| self.0.bias.then(|| cx.param(self.index(way, k)));
        let weight = |panels, k, bias| GateWeights { panels, w: cx.param(self.index(way, k)), bias };
        Way {
            steps,
            reverse: way == 1 || self.0.direction == Direction::Backward,
            last: self.0.last,
            width: self.0.width(),
            at: way * self.0.projection,
            features,
            units: self.0.units,
            outputs: self.0.projection,
            inputs: weight(inputs, 0, bias(2)),
            state: weight(state, 1, bias(3)),
            out: weight(out, 4, None),
        }
    }

    fn inputs_of(&self, cx: &LayerContext<'_, impl Sized>, inputs: usize) -> Given {
        self.0.roles(inputs, cx.input_shape(0).dim(0), cx.input_shape(1))
    }

    fn kept_of<'a>(&self, saved: &'a mut [f32], rows: usize, way: usize) -> ProjectedSteps<'a> {
        let one = rows * self.kept_in_all();
        let [gates, units, cells, before, doutputs] =
            pieces(&mut saved[way * one..][..one], self.kept().map(|each| each * rows));
        ProjectedSteps { gates, units, cells, before, doutputs }
    }

    /// Nothing is laid out before a stream.
    pub(in crate::layers) fn prepare(&self, _: &mut LayerContext) {}

    pub(in crate::layers) fn forward(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [&mut [f32]]) {
        let (given, batch) = (self.inputs_of(cx, x.len()), cx.batch);
        let (y, states) = y.split_at_mut(1);
        let sizes = [self.0.projection, self.0.units];
        for number in 0..self.0.ways() {
            let way = self.way(cx, number, cx.input_shape(0).dim(0));
            let carried = cx.carried;
            let carries = cx.spec.carried_len() > 0;
            let mut kept = match cx.saved.is_empty() {
                true => None,
                false => Some(self.kept_of(cx.saved, batch * way.steps, number)),
            };
            for first in (0..batch).step_by(GROUP) {
                let group = Group { first, samples: GROUP.min(batch - first) };
                let [h, c, scratch] = {
                    let [h, c] = sizes.map(|size| size * group.samples);
                    pieces(cx.scratch, [h, c, self.forward_scratch(way.features) - h - c])
                };
                for (k, part) in [&mut *h, &mut *c].into_iter().enumerate() {
                    for (i, part) in part.chunks_exact_mut(sizes[k]).enumerate() {
                        let sample = first + i;
                        let offset = if k == 0 { 0 } else { sizes[0] };
                        match (given.states, carried.before().filter(|_| carries)) {
                            (true, _) => part.copy_from_slice(
                                &x[1 + k][sample * self.0.state_width(k) + number * sizes[k]..][..sizes[k]],
                            ),
                            (false, Some((numbers, width, at))) => {
                                part.copy_from_slice(&numbers[sample * width + at + offset..][..sizes[k]]);
                            }
                            (false, None) => part.fill(0.0),
                        }
                    }
                }
                let mask = given.mask.map(|mask| group.of(x[mask], batch));
                let (x, y) = (group.of(x[0], batch), group.of_mut(y[0], batch));
                way.forward(cx.isa, group, [x, mask.unwrap_or(&[])], [&mut *h, &mut *c], kept.as_mut(), scratch, y);
                for (k, part) in [h, c].into_iter().enumerate() {
                    for (i, part) in part.chunks_exact(sizes[k]).enumerate() {
                        let sample = first + i;
                        if let Some(to) = states.get_mut(k) {
                            let at = sample * self.0.state_width(k) + number * sizes[k];
                            to[at..at + sizes[k]].copy_from_slice(part);
                        }
                        if carries {
                            carried.write(sample, if k == 0 { 0 } else { sizes[0] }, part);
                        }
                    }
                }
            }
        }
    }

    /// Steps of each stream, whose state stands in what is saved.
    pub(in crate::layers) fn step(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [f32]) {
        let (way, batch) = (self.way(cx, 0, cx.steps), cx.batch);
        let Recurrent { units, projection, .. } = self.0;
        for (sample, state) in cx.saved.chunks_exact_mut(projection + units).take(batch).enumerate() {
            let one = Group { first: sample, samples: 1 };
            let (h, c) = state.split_at_mut(projection);
            let mask = x.get(1).map_or(&[][..], |mask| one.of(mask, batch));
            way.forward(cx.isa, one, [one.of(x[0], batch), mask], [h, c], None, cx.scratch, one.of_mut(y, batch));
        }
    }

    pub(in crate::layers) fn backward_input(
        &self,
        cx: &mut LayerContext,
        x: &[&[f32]],
        dy: &[&[f32]],
        dx: &mut [&mut [f32]],
    ) {
        let (given, batch) = (self.inputs_of(cx, x.len()), cx.batch);
        let (dx, others) = dx.split_at_mut(1);
        let (dstates, dmask) = others.split_at_mut(if given.states { 2 } else { 0 });
        dmask.iter_mut().for_each(|dmask| dmask.fill(0.0));
        let sizes = [self.0.projection, self.0.units];
        for number in 0..self.0.ways() {
            let way = self.way(cx, number, cx.input_shape(0).dim(0));
            let mut kept = self.kept_of(cx.saved, batch * way.steps, number);
            for first in (0..batch).step_by(GROUP).rev() {
                let group = Group { first, samples: GROUP.min(batch - first) };
                let [h, c] = sizes.map(|size| size * group.samples);
                let [dh, dc, scratch] = pieces(cx.scratch, [h, c, self.backward_scratch() - h - c]);
                for (k, part) in [&mut *dh, &mut *dc].into_iter().enumerate() {
                    let given = dy.get(1 + k).filter(|dy| !dy.is_empty());
                    for (i, part) in part.chunks_exact_mut(sizes[k]).enumerate() {
                        let at = (first + i) * self.0.state_width(k) + number * sizes[k];
                        match given {
                            Some(dy) => part.copy_from_slice(&dy[at..][..sizes[k]]),
                            None => part.fill(0.0),
                        }
                    }
                }
                let mask = given.mask.map_or(&[][..], |mask| group.of(x[mask], batch));
                way.backward(cx.isa, group, [group.of(dy[0], batch), mask], [&mut *dh, &mut *dc], &mut kept, scratch);
                let both = [&*dh, &*dc].into_iter().zip(dstates.iter_mut()).enumerate();
                for (k, (part, to)) in both.filter(|(_, (_, to))| !to.is_empty()) {
                    for (i, part) in part.chunks_exact(sizes[k]).enumerate() {
                        let at = (first + i) * self.0.state_width(k) + number * sizes[k];
                        to[at..at + sizes[k]].copy_from_slice(part);
                    }
                }
            }
            if dx[0].is_empty() {
                continue;
            }
            let GateWeights { panels, w, .. } = way.inputs;
            let (scratch, second) = cx.scratch.split_at_mut(backward_input_scratch(panels.cols()));
            if number == 0 {
                backward_input(cx.isa, panels, kept.gates, w, dx[0], scratch);
            } else {
                let second = &mut second[..dx[0].len()];
                backward_input(cx.isa, panels, kept.gates, w, second, scratch);
                cx.isa.add(second, dx[0]);
            }
        }
    }

    pub(in crate::layers) fn backward_params(&self, cx: &mut ReadContext, x: &[&[f32]], mut part: ParamGrad) {
        let mask = self.inputs_of(cx, x.len()).mask.map(|mask| x[mask]);
        let [steps, features] = [cx.input_shape(0).dim(0), cx.input_shape(0).dim(1)];
        let (rows, row) = (cx.batch * steps, 4 * self.0.units);
        let [inputs, state, out] = self.panels(features);
        for way in 0..self.0.ways() {
            let mut left = &cx.saved[way * rows * self.kept_in_all()..];
            let [gates, units, _, before, doutputs] = self.kept().map(|each| {
                let (piece, rest) = left.split_at(each * rows);
                left = rest;
                piece
            });
            let work = |row| RowsOfGates { mask, row, sums: cx.row_sums(steps) };
            let weights = [
                (0, inputs, [x[0], gates], row),
                (1, state, [before, gates], row),
                (4, out, [units, doutputs], self.0.projection),
            ];
            for (k, panels, from, row) in weights {
                let ((range, dw), work) = (part.slice(cx, self.index(way, k)), work(row));
                work.sums.add(dw, |rows, of, dw, blocks| {
                    let range = range.start + of.start..range.start + of.end;
                    work.blocks(rows, |block| work.weight(panels, from, &block, &range, dw, blocks));
                });
            }
            for k in (2..4).filter(|_| self.0.bias) {
                let ((range, db), work) = (part.slice(cx, self.index(way, k)), work(row));
                work.sums.add(db, |rows, of, db, blocks| {
                    let range = range.start + of.start..range.start + of.end;
                    work.blocks(rows, |block| work.bias(gates, &block, &range, db, blocks));
                });
            }
        }
    }
}
