//! RecurrentBackward: the gradients of every gate, from the last step to the first, all samples at a time.
//! In: what forward saved, weights, gradients of outputs. Out: gradients of gates, in the place of what was
//! saved. A masked step passes the gradient on and has none of its own. Sums over steps are the caller's.

use core::marker::PhantomData;

use super::{Cell, CellGrad, SavedSteps, Sequence, StateRows, TransposedWeights, get, put};
use crate::matrix::Product;
use crate::simd::{Isa, Kernel, LANES, Simd};

/// What [`run`](RecurrentBackward::run) works on, for `b` samples.
pub struct RecurrentBackward<'a, C> {
    /// How the sequences were gone through.
    pub sequence: Sequence,
    /// The weights of the state.
    pub weights: TransposedWeights<'a>,
    /// What forward saved, overwritten as [`SavedSteps`] says.
    pub saved: SavedSteps<'a>,
    /// `[b, steps]`: 0 where a step is masked; without it none is.
    pub mask: Option<&'a [f32]>,
    /// The gradients of the outputs, laid out as `sequence` says.
    pub dy: &'a [f32],
    /// The outputs before the first step; without them they were 0. Read where the state is more than the
    /// output (Lstm).
    pub start: Option<StateRows<'a>>,
    /// `[states, b, units]`: the gradients of the state after the last step, overwritten with those of the
    /// state before the first; without it the former are 0 and nobody asks for the latter.
    pub dstate: Option<&'a mut [f32]>,
    /// `[b, scratch(units)]`, see [`scratch`](RecurrentBackward::scratch), with arbitrary contents.
    pub scratch: &'a mut [f32],
    /// Which cell it is.
    pub cell: PhantomData<C>,
}

impl<C: Cell> RecurrentBackward<'_, C> {
    /// Numbers of scratch for each sample.
    pub const fn scratch(units: usize) -> usize {
        (C::GATES + C::STATES + if C::RESETS_FIRST { 2 } else { 1 }) * units
    }

    /// Goes back through all steps.
    ///
    /// # Panics
    /// A slice has another length than the sequence and the number of samples ask for; `at + units > width`.
    pub fn run(self, isa: Isa) {
        let Sequence { steps, units, .. } = self.sequence;
        self.sequence.check_units();
        let (sequence, row) = (self.sequence, C::GATES * units);
        let one = Self::scratch(units);
        let batch = self.scratch.len() / one;
        sequence.check("scratch", self.scratch.len(), &[batch, one]);
        sequence.check("units of the weights", self.weights.panels.cols(), &[units]);
        sequence.check("gates of the weights", self.weights.panels.rows(), &[row]);
        self.saved.check::<C>(&sequence, batch);
        sequence.check("gradients", self.dy.len(), &sequence.outputs(batch));
        if let Some(mask) = self.mask {
            sequence.check("mask", mask.len(), &[batch, steps]);
        }
        if let Some(dstate) = &self.dstate {
            sequence.check("gradients of states", dstate.len(), &[C::STATES, batch, units]);
        }
        // Without samples there may be any number of steps.
        if batch > 0 {
            isa.run(self);
        }
    }
}

impl<C: Cell> Kernel for RecurrentBackward<'_, C> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        if const { C::RESETS_FIRST } {
            return self.run_reset_first(s);
        }
        let Sequence { steps, units, last, .. } = self.sequence;
        let TransposedWeights { panels, w } = self.weights;
        let batch = self.scratch.len() / Self::scratch(units);
        let (product, rest) = self.scratch.split_at_mut(batch * C::GATES * units);
        let (through, state) = rest.split_at_mut(batch * units);
        through.fill(0.0);
        match &self.dstate {
            Some(dstate) => state.copy_from_slice(dstate),
            None => state.fill(0.0),
        }
        if last {
            for (sample, dh) in state[..batch * units].chunks_exact_mut(units).enumerate() {
                let dy = &self.dy[self.sequence.output(sample, 0)..][..units];
                match self.dstate {
                    Some(_) => dh.iter_mut().zip(dy).for_each(|(dh, dy)| *dh += dy),
                    None => dh.copy_from_slice(dy),
                }
            }
        }
        for k in (0..steps).rev() {
            let (dh, dc) = state.split_at_mut(batch * units);
            let step = BackwardStep {
                sequence: self.sequence,
                batch,
                step: self.sequence.step(k),
                next: (k + 1 < steps).then(|| self.sequence.step(k + 1)),
                first: k == 0,
                start: self.start,
                gates: self.saved.gates.as_mut_ptr(),
                products: self.saved.products.as_mut_ptr(),
                before: self.saved.before.as_mut_ptr(),
                mask: self.mask,
                dy: (!last).then_some(self.dy.as_ptr()),
                product: product.as_mut_ptr(),
                through: through.as_ptr(),
                dh: dh.as_mut_ptr(),
                dc: dc.as_mut_ptr(),
                cell: PhantomData::<C>,
            };
            // SAFETY: `RecurrentBackward::run` has compared the length of every slice with `batch` samples,
            // the steps and the units.
            s.call(unsafe { ValidStep::new(step) });
            if k > 0 || self.dstate.is_some() {
                Product { p: panels, batch, x: product, w, bias: None, floor: f32::NEG_INFINITY, y: through }.run(s);
            }
        }
        if let Some(dstate) = &mut self.dstate {
            dstate.copy_from_slice(state);
            dstate.iter_mut().zip(through.iter()).for_each(|(dh, through)| *dh += through);
        }
    }
}

/// One step of every sample, up to the gradients of the state's product. The pointers point at the beginning
/// of the slices of [`RecurrentBackward`], and of parts of its scratch.
struct BackwardStep<'a, C> {
    sequence: Sequence,
    batch: usize,
    step: usize,
    /// The step that came after it in forward.
    next: Option<usize>,
    /// Whether it was the first in forward.
    first: bool,
    /// The outputs before it.
    start: Option<StateRows<'a>>,
    gates: *mut f32,
    products: *mut f32,
    before: *mut f32,
    mask: Option<&'a [f32]>,
    /// The gradients of the outputs, unless only the last step has one.
    dy: Option<*const f32>,
    /// The gradients of the state's product, `[b, gates·units]`.
    product: *mut f32,
    /// The gradients of the output that came back through the state's product, `[b, units]`.
    through: *const f32,
    /// The other gradients of the output, and those of the rest of the state, `[b, units]` each.
    dh: *mut f32,
    dc: *mut f32,
    cell: PhantomData<C>,
}

/// A step whose pointers are valid.
struct ValidStep<'a, C>(BackwardStep<'a, C>);

impl<'a, C: Cell> ValidStep<'a, C> {
    /// # Safety
    /// Each pointer is valid for the length that [`RecurrentBackward`] and [`BackwardStep`] document, with b
    /// = `step.batch`.
    #[inline(always)]
    unsafe fn new(step: BackwardStep<'a, C>) -> Self {
        ValidStep(step)
    }
}

impl<C: Cell> Kernel for ValidStep<'_, C> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let step = self.0;
        for sample in 0..step.batch {
            let place = sample * step.sequence.steps + step.step;
            let counts = step.mask.is_none_or(|mask| mask[place].abs() > 0.0);
            for at in (0..step.sequence.units).step_by(LANES) {
                // SAFETY: the pointers are valid by the contract of `new`; sample < batch and at < units.
                unsafe { step.units(s, sample, at, counts) };
            }
        }
    }
}

impl<C: Cell> BackwardStep<'_, C> {
    /// The sixteen units from `at` on, of one sample.
    ///
    /// # Safety
    /// The pointers are valid as for [`ValidStep::new`], `sample < batch` and `at < units`.
    #[inline(always)]
    unsafe fn units<S: Simd>(&self, s: S, sample: usize, at: usize, counts: bool) {
        let Sequence { steps, units, .. } = self.sequence;
        let (place, lanes, nothing) = (sample * steps + self.step, (units - at).min(LANES), s.splat(0.0));
        let of_state = sample * units + at;
        let gate = |g: usize| (place * C::GATES + g) * units + at;
        let (mut gates, mut product) = ([nothing; 4], nothing);
        // SAFETY: place < batch · steps, g < GATES and at + lanes <= units: below batch · steps · GATES ·
        // units, the length of the gates and, with `SPLIT`, of the products.
        unsafe {
            for (g, to) in gates.iter_mut().enumerate().take(C::GATES) {
                *to = get(s, self.gates.add(gate(g)), lanes);
            }
            if C::SPLIT {
                product = get(s, self.products.add(gate(C::GATES - 1)), lanes);
            }
        }
        // SAFETY: place · units + at + lanes <= batch · steps · units, and of_state + lanes <= batch · units.
        let (before, from_output, from_product) = unsafe {
            let before = get(s, self.before.add(place * units + at), lanes);
            (before, get(s, self.dh.add(of_state), lanes), get(s, self.through.add(of_state), lanes))
        };
        let carried = s.add(from_output, from_product);
        let mut dstate = [carried, nothing];
        // SAFETY: an output row holds `at + units` numbers of this direction at least, as `check_units` says;
        // of_state + lanes <= batch · units.
        unsafe {
            if let Some(dy) = self.dy {
                dstate[0] = s.add(carried, get(s, dy.add(self.sequence.output(sample, self.step) + at), lanes));
            }
            if C::STATES == 2 {
                dstate[1] = get(s, self.dc.add(of_state), lanes);
            }
        }
        let grad = if counts {
            C::backward(s, gates, product, before, dstate)
        } else {
            // Forward has saved the output that a masked step carries on in the place of its last gate.
            let output = gates[C::GATES - 1];
            CellGrad { x: [nothing; 4], h: [nothing; 4], state: [carried, dstate[1]], output }
        };
        // SAFETY: as for the loads of gates and products; `product` has batch · GATES · units numbers.
        unsafe {
            for g in 0..C::GATES {
                put(s, grad.x[g], self.gates.add(gate(g)), lanes);
                put(s, grad.h[g], self.product.add((sample * C::GATES + g) * units + at), lanes);
                if C::SPLIT {
                    put(s, grad.h[g], self.products.add(gate(g)), lanes);
                }
            }
            put(s, grad.state[0], self.dh.add(of_state), lanes);
        }
        if C::STATES != 2 {
            return;
        }
        // SAFETY: as for the loads of the state; `next` is a step, so its place is below batch · steps, too.
        unsafe {
            put(s, grad.state[1], self.dc.add(of_state), lanes);
            if let Some(next) = self.next {
                put(s, grad.output, self.before.add((sample * steps + next) * units + at), lanes);
            }
            if self.first {
                let start = self.start.map_or(nothing, |start| s.load_part(&start.row(sample)[at..at + lanes]));
                put(s, start, self.before.add(place * units + at), lanes);
            }
        }
    }
}
