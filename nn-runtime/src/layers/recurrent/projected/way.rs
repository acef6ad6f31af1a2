//! The steps of an `Lstm` with a projection, one way. In: a group of samples, weights, the state before; out:
//! outputs and the state after, or gradients. It knows no context, and where things lie only as it is told.

use super::super::passes::Group;
use super::max;
use crate::layers::mask::is_step;
use nn_kernels::matrix::{backward_input, backward_input_scratch, product};
use nn_kernels::recurrent::{Cell, GateWeights, Lstm};
use nn_kernels::simd::{Isa, Kernel, LANES, Simd};

/// The weights and steps of one way.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) steps: usize,
    pub(super) reverse: bool,
    pub(super) last: bool,
    /// Numbers of a row of outputs, and where those of this way begin.
    pub(super) width: usize,
    pub(super) at: usize,
    pub(super) features: usize,
    pub(super) units: usize,
    pub(super) outputs: usize,
    pub(super) inputs: GateWeights<'a>,
    pub(super) state: GateWeights<'a>,
    pub(super) out: GateWeights<'a>,
}

/// What is kept of a batch, one way: a row for each step of a sample.
pub(super) struct ProjectedSteps<'a> {
    /// `[4 · units]`: activated gates, then their gradients.
    pub(super) gates: &'a mut [f32],
    /// `[units]`: what the projection multiplies.
    pub(super) units: &'a mut [f32],
    /// `[units]`: `c` before the step.
    pub(super) cells: &'a mut [f32],
    /// `[outputs]`: `h` before the step.
    pub(super) before: &'a mut [f32],
    /// `[outputs]`: the gradient of the output.
    pub(super) doutputs: &'a mut [f32],
}

/// So many pieces of a slice, one after the other.
pub(super) fn pieces<const N: usize>(mut from: &mut [f32], lens: [usize; N]) -> [&mut [f32]; N] {
    lens.map(|len| {
        let (piece, rest) = core::mem::take(&mut from).split_at_mut(len);
        from = rest;
        piece
    })
}

impl Way<'_> {
    /// The step that comes `k`-th.
    fn step(&self, k: usize) -> usize {
        if self.reverse { self.steps - 1 - k } else { k }
    }

    /// Where a row of a group's outputs begins.
    fn output(&self, i: usize, step: usize) -> usize {
        self.at + self.width * if self.last { i } else { i * self.steps + step }
    }

    /// All steps of a group: `state` is gone on with, rows are kept where asked for.
    #[allow(clippy::too_many_arguments, reason = "one group's slices")]
    pub(super) fn forward(
        &self,
        isa: Isa,
        group: Group,
        [x, mask]: [&[f32]; 2],
        [h, c]: [&mut [f32]; 2],
        mut kept: Option<&mut ProjectedSteps>,
        scratch: &mut [f32],
        y: &mut [f32],
    ) {
        let Way { steps, features, units, outputs, .. } = *self;
        let row = 4 * units;
        let times = |weights: GateWeights, x: &[f32], y: &mut [f32]| {
            product(isa, weights.panels, x, weights.w, weights.bias, f32::NEG_INFINITY, y);
        };
        let n = group.samples;
        let [now, gates, others, made, new] = pieces(scratch, [n * features, n * row, n * row, n * units, n * outputs]);
        for k in 0..steps {
            let step = self.step(k);
            for (i, now) in now.chunks_exact_mut(features).enumerate() {
                now.copy_from_slice(&x[(i * steps + step) * features..][..features]);
            }
            times(self.inputs, now, gates);
            times(self.state, h, others);
            let there = |i: usize| mask.is_empty() || is_step(&mask[i * steps + step]);
            for i in 0..n {
                let (c, made) = (&mut c[i * units..][..units], &mut made[i * units..][..units]);
                let gates = &mut gates[i * row..][..row];
                if let Some(kept) = &mut kept {
                    let at = (group.first + i) * steps + step;
                    kept.cells[at * units..][..units].copy_from_slice(c);
                    kept.before[at * outputs..][..outputs].copy_from_slice(&h[i * outputs..][..outputs]);
                }
                match there(i) {
                    true => isa.run(CellForward {
                        gates: &mut *gates,
                        others: &others[i * row..][..row],
                        c,
                        made: &mut *made,
                    }),
                    // The product of a row that nobody sees.
                    false => made.fill(0.0),
                }
                if let Some(kept) = &mut kept {
                    let at = (group.first + i) * steps + step;
                    kept.gates[at * row..][..row].copy_from_slice(gates);
                    kept.units[at * units..][..units].copy_from_slice(made);
                }
            }
            times(self.out, made, new);
            for i in 0..n {
                let (h, new) = (&mut h[i * outputs..][..outputs], &new[i * outputs..][..outputs]);
                if there(i) {
                    h.copy_from_slice(new);
                }
                if !self.last {
                    let y = &mut y[self.output(i, step)..][..outputs];
                    if there(i) { y.copy_from_slice(new) } else { y.fill(0.0) }
                }
            }
        }
        for (i, h) in h.chunks_exact(outputs).enumerate().filter(|_| self.last) {
            y[self.output(i, 0)..][..outputs].copy_from_slice(h);
        }
    }

    /// All steps of a group backward: `dstate` becomes the gradient of the state before them.
    pub(super) fn backward(
        &self,
        isa: Isa,
        group: Group,
        [dy, mask]: [&[f32]; 2],
        [dh, dc]: [&mut [f32]; 2],
        kept: &mut ProjectedSteps,
        scratch: &mut [f32],
    ) {
        let Way { steps, units, outputs, .. } = *self;
        let (row, n) = (4 * units, group.samples);
        let turned = backward_input_scratch(max(row, outputs));
        let [gates, made, new, turned] = pieces(scratch, [n * row, n * units, n * outputs, turned]);
        let add = |dh: &mut [f32], dy: &[f32]| dh.iter_mut().zip(dy).for_each(|(dh, dy)| *dh += dy);
        for (i, dh) in dh.chunks_exact_mut(outputs).enumerate().filter(|_| self.last) {
            add(dh, &dy[self.output(i, 0)..]);
        }
        for k in (0..steps).rev() {
            let step = self.step(k);
            let there = |i: usize| mask.is_empty() || is_step(&mask[i * steps + step]);
            for (i, dh) in dh.chunks_exact_mut(outputs).enumerate() {
                let to = &mut kept.doutputs[((group.first + i) * steps + step) * outputs..][..outputs];
                if !there(i) {
                    to.fill(0.0);
                    continue;
                }
                if !self.last {
                    add(dh, &dy[self.output(i, step)..]);
                }
                to.copy_from_slice(dh);
            }
            backward_input(isa, self.out.panels, dh, self.out.w, made, turned);
            for i in 0..n {
                let at = (group.first + i) * steps + step;
                let of_gates = &mut kept.gates[at * row..][..row];
                match there(i) {
                    true => isa.run(CellBackward {
                        gates: &mut *of_gates,
                        before: &kept.cells[at * units..][..units],
                        dmade: &made[i * units..][..units],
                        dc: &mut dc[i * units..][..units],
                    }),
                    false => of_gates.fill(0.0),
                }
                gates[i * row..][..row].copy_from_slice(of_gates);
            }
            backward_input(isa, self.state.panels, gates, self.state.w, new, turned);
            for i in (0..n).filter(|i| there(*i)) {
                dh[i * outputs..][..outputs].copy_from_slice(&new[i * outputs..][..outputs]);
            }
        }
    }
}

/// Sixteen numbers from `at` on, or as many as there are of `units`.
#[inline(always)]
fn get<S: Simd>(s: S, from: &[f32], at: usize, lanes: usize) -> S::F {
    s.load_part(&from[at..at + lanes])
}

/// The units of one sample, one step on: products become gates, `c` goes on, `made = o · tanh(c)`.
struct CellForward<'a> {
    gates: &'a mut [f32],
    others: &'a [f32],
    c: &'a mut [f32],
    made: &'a mut [f32],
}

impl Kernel for CellForward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let CellForward { gates, others, c, made } = self;
        let units = c.len();
        for first in (0..units).step_by(LANES) {
            let lanes = LANES.min(units - first);
            let mut sums = [s.splat(0.0); 4];
            for (g, sum) in sums.iter_mut().enumerate() {
                let at = g * units + first;
                *sum = s.add(get(s, gates, at, lanes), get(s, others, at, lanes));
            }
            let state = [s.splat(0.0), get(s, c, first, lanes)];
            let (all, [y, new]) = Lstm::output(s, Lstm::gates(s, sums, sums, state), sums, sums, state);
            for (g, gate) in all.into_iter().enumerate() {
                s.store_part(gate, &mut gates[g * units + first..][..lanes]);
            }
            s.store_part(new, &mut c[first..first + lanes]);
            s.store_part(y, &mut made[first..first + lanes]);
        }
    }
}

/// The same backward: gates become their gradients, `dc` goes back a step.
struct CellBackward<'a> {
    gates: &'a mut [f32],
    before: &'a [f32],
    dmade: &'a [f32],
    dc: &'a mut [f32],
}

impl Kernel for CellBackward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let CellBackward { gates, before, dmade, dc } = self;
        let units = dc.len();
        for first in (0..units).step_by(LANES) {
            let lanes = LANES.min(units - first);
            let mut all = [s.splat(0.0); 4];
            for (g, gate) in all.iter_mut().enumerate() {
                *gate = get(s, gates, g * units + first, lanes);
            }
            let d = [get(s, dmade, first, lanes), get(s, dc, first, lanes)];
            let grad = Lstm::backward(s, all, s.splat(0.0), get(s, before, first, lanes), d);
            for (g, gate) in grad.x.into_iter().enumerate() {
                s.store_part(gate, &mut gates[g * units + first..][..lanes]);
            }
            s.store_part(grad.state[1], &mut dc[first..first + lanes]);
        }
    }
}
