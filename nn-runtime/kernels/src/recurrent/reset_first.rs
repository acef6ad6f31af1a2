//! The recurrence whose state goes through the first gate before the product at the last one: two products a
//! step, one after the other, forward and backward. In, out: as `forward` and `backward`. It is run sample by
//! sample, and is slower than the cells of one product.

use super::cells::{through_sigmoid, through_tanh};
use super::chain::chain;
use super::forward::{ForwardStep, SavedPlaces};
use super::{Cell, RecurrentBackward, Sequence, TransposedWeights, get, put};
use crate::matrix::Product;
use crate::simd::{Kernel, LANES, Simd};

impl<C: Cell> ForwardStep<'_, C> {
    /// Runs the step for all samples, with numbers of one sample in `between`: the state that has gone
    /// through the first gate, and all gates.
    ///
    /// # Safety
    /// As for `run`, and (1 + GATES) · units numbers can be written from `between` on.
    #[inline(always)]
    pub unsafe fn run_reset_first<S: Simd>(&self, s: S, batch: usize, between: *mut f32) {
        let Sequence { steps, units, .. } = self.sequence;
        let features = self.inputs.inputs;
        let gates = between.wrapping_add(units);
        for sample in 0..batch {
            let place = sample * steps + self.step;
            let x = self.x.wrapping_add(place * features);
            let h = self.old.wrapping_add(sample * self.strides[0]);
            for at in (0..units).step_by(LANES) {
                let lanes = (units - at).min(LANES);
                // SAFETY: of a sample there are `features` inputs at this step and `units` outputs of the
                // step before; at < units. Gates end below (1 + GATES) · units of `between`, and what is
                // saved of the place below (place + 1) · units <= batch · steps · units.
                unsafe {
                    let [[sums]] = chain(s, [[self.start(s, at, 0)]; 1], (x, 0), &self.inputs, at);
                    let [[products]] = chain(s, [[self.start(s, at, C::GATES)]; 1], (h, 0), &self.weights, at);
                    let old = get(s, h.add(at), lanes);
                    let [gate, ..] = C::gates(s, sums, products, [old; 2]);
                    // The second half takes the sum of both products at the gate between.
                    let open = [gate, s.add(sums[1], products[1]), sums[2]];
                    for (g, gate) in open.into_iter().enumerate() {
                        put(s, gate, gates.add(g * units + at), lanes);
                    }
                    let reset = s.mul(gate, old);
                    put(s, reset, between.add(at), lanes);
                    if let Some(SavedPlaces { resets, .. }) = self.saved {
                        put(s, reset, resets.add(place * units + at), lanes);
                    }
                }
            }
            for at in (0..units).step_by(LANES) {
                let lanes = (units - at).min(LANES);
                // SAFETY: at + lanes <= units: the numbers of `between` end below (1 + GATES) · units, the
                // first `units` of which are the state of the sample, written just now; at < units and sample
                // < batch.
                unsafe {
                    let [[mut products]] =
                        chain(s, [[self.start(s, at, C::GATES)]; 1], (between, 0), &self.weights, at);
                    products[1] = s.splat(0.0);
                    let mut open = [s.splat(0.0); 4];
                    for (g, gate) in open.iter_mut().enumerate().take(C::GATES) {
                        *gate = get(s, gates.add(g * units + at), lanes);
                    }
                    let old = self.state(s, at, sample);
                    self.output(s, (at, sample), open, (open, products), old);
                }
            }
        }
    }

    /// What the sums at the gates of sixteen units start at: those of the inputs, or from `GATES` on those of
    /// the state.
    ///
    /// # Safety
    /// As for `run`, with `at < units` and `first` 0 or `GATES`.
    #[inline(always)]
    unsafe fn start<S: Simd>(&self, s: S, at: usize, first: usize) -> [S::F; 4] {
        let mut starts = [s.splat(0.0); 4];
        for (g, start) in starts.iter_mut().enumerate().take(C::GATES) {
            // SAFETY: for each sixteen units there are 2 · GATES vectors; at < units and first + g < 2 ·
            // GATES.
            *start = unsafe { s.load_ptr(self.starts.add(2 * C::GATES * at + (first + g) * LANES)) };
        }
        starts
    }
}

impl<C: Cell> RecurrentBackward<'_, C> {
    /// All steps, from the last to the first; lengths have been compared.
    #[inline(always)]
    pub(super) fn run_reset_first<S: Simd>(mut self, s: S) {
        let Sequence { steps, units, last, .. } = self.sequence;
        let TransposedWeights { panels, w } = self.weights;
        let (row, batch) = (C::GATES * units, self.scratch.len() / Self::scratch(units));
        let (product, rest) = self.scratch.split_at_mut(batch * row);
        let (through, rest) = rest.split_at_mut(batch * units);
        let (again, state) = rest.split_at_mut(batch * units);
        through.fill(0.0);
        match &self.dstate {
            Some(dstate) => state.copy_from_slice(dstate),
            None => state.fill(0.0),
        }
        let (one, nothing) = (s.splat(1.0), s.splat(0.0));
        let back = |x: &[f32], y: &mut [f32]| {
            Product { p: panels, batch, x, w, bias: None, floor: f32::NEG_INFINITY, y }.run(s);
        };
        for k in (0..steps).rev() {
            let step = self.sequence.step(k);
            let counts = |place: usize| self.mask.is_none_or(|mask| mask[place].abs() > 0.0);
            // Up to the product of the state that has gone through the first gate.
            for sample in 0..batch {
                let place = sample * steps + step;
                let gates = &mut self.saved.gates[place * row..][..row];
                let candidates = &mut self.saved.candidates[place * row..][..row];
                let product = &mut product[sample * row..][..row];
                product.fill(0.0);
                candidates.fill(0.0);
                // The output of a masked step is 0, whatever the state; the last state is an output itself.
                let seen = if last { k + 1 == steps } else { counts(place) };
                let dy = if seen { &self.dy[self.sequence.output(sample, step)..][..units] } else { &[] };
                for at in (0..units).step_by(LANES) {
                    let to = at..units.min(at + LANES);
                    let (z, n) = (units + to.start..units + to.end, 2 * units + to.start..2 * units + to.end);
                    let of_state = sample * units + to.start..sample * units + to.end;
                    let before = s.load_part(&self.saved.before[place * units..][to.clone()]);
                    let mut dh = s.add(s.load_part(&state[of_state.clone()]), s.load_part(&through[of_state.clone()]));
                    if seen {
                        dh = s.add(dh, s.load_part(&dy[to.clone()]));
                    }
                    let (mut dn, mut dz) = (nothing, nothing);
                    if counts(place) {
                        let (z, n) = (s.load_part(&gates[z.clone()]), s.load_part(&gates[n.clone()]));
                        dn = through_tanh(s, s.mul(dh, s.sub(one, z)), n);
                        dz = through_sigmoid(s, s.mul(dh, s.sub(before, n)), z);
                        dh = s.mul(dh, z);
                    }
                    s.store_part(dz, &mut gates[z]);
                    s.store_part(dn, &mut gates[n.clone()]);
                    s.store_part(dn, &mut candidates[n.clone()]);
                    s.store_part(dn, &mut product[n]);
                    s.store_part(dh, &mut state[of_state]);
                }
            }
            back(product, again);
            // Through the first gate, and to the product of the state before.
            for sample in 0..batch {
                let place = sample * steps + step;
                let gates = &mut self.saved.gates[place * row..][..row];
                let products = &mut self.saved.products[place * row..][..row];
                let product = &mut product[sample * row..][..row];
                for at in (0..units).step_by(LANES) {
                    let to = at..units.min(at + LANES);
                    let of_state = sample * units + to.start..sample * units + to.end;
                    let mut dr = nothing;
                    if counts(place) {
                        let (r, again) = (s.load_part(&gates[to.clone()]), s.load_part(&again[of_state.clone()]));
                        let before = s.load_part(&self.saved.before[place * units..][to.clone()]);
                        dr = through_sigmoid(s, s.mul(again, before), r);
                        let dh = s.fma(again, r, s.load_part(&state[of_state.clone()]));
                        s.store_part(dh, &mut state[of_state]);
                    }
                    s.store_part(dr, &mut gates[to]);
                }
                products[..2 * units].copy_from_slice(&gates[..2 * units]);
                products[2 * units..].fill(0.0);
                product.copy_from_slice(products);
            }
            if k > 0 || self.dstate.is_some() {
                back(product, through);
            }
        }
        if let Some(dstate) = &mut self.dstate {
            dstate.copy_from_slice(state);
            dstate.iter_mut().zip(through.iter()).for_each(|(dh, through)| *dh += through);
        }
    }
}
