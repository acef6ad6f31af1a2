//! RecurrentForward: the states of sequences, step by step, all samples at a time.
//! In: inputs, weights, the state before. Out: outputs, the state after, what backward reads.
//! A masked step carries the state on, and its output is 0.

use core::mem::swap;
use core::ops::Range;

use super::chain::{chain, write_starts};
use super::{Cell, GateColumns, Gates, Halfway, SavedSteps, Sequence, get, put};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// What [`run`](RecurrentForward::run) works on, for `b` samples.
pub struct RecurrentForward<'a, C> {
    /// How the sequences are gone through.
    pub sequence: Sequence,
    /// `[b, steps, features]`
    pub x: &'a [f32],
    /// The weights of the inputs.
    pub inputs: GateColumns<'a, C>,
    /// The weights of the state.
    pub weights: GateColumns<'a, C>,
    /// What the sums at the gates start at, where it has been written before.
    pub starts: Option<&'a [f32]>,
    /// Where to save what backward reads.
    pub saved: Option<SavedSteps<'a>>,
    /// `[b, steps]`: 0 where a step is masked; without it none is.
    pub mask: Option<&'a [f32]>,
    /// `[states, b, units]`: the state before the first step, overwritten with that after the last.
    pub state: &'a mut [f32],
    /// As long as [`scratch`](RecurrentForward::scratch) says, with arbitrary contents.
    pub scratch: &'a mut [f32],
    /// The outputs, laid out as `sequence` says.
    pub y: &'a mut [f32],
}

impl<C: Cell> RecurrentForward<'_, C> {
    /// Numbers of scratch for a cell of `units`: those needed once, and those for each sample.
    pub const fn scratch(units: usize) -> [usize; 2] {
        [Self::starts(units) + Self::between(units), units]
    }

    /// Numbers of one sample between the two products of a step.
    const fn between(units: usize) -> usize {
        if C::RESETS_FIRST { (1 + C::GATES) * units } else { 0 }
    }

    /// Numbers that the sums at the gates of a cell of `units` start at.
    pub(super) const fn starts(units: usize) -> usize {
        2 * C::GATES * units.next_multiple_of(LANES)
    }

    /// Goes through all steps.
    ///
    /// The sum at a gate is one chain of `fma` that starts at the sum of the biases, takes the inputs and
    /// then the state; with [`Cell::SPLIT`] there are two chains, each from its own bias on.
    ///
    /// # Panics
    /// A slice has another length than the sequence and the number of samples ask for; `at + units > width`.
    pub fn run(self, isa: Isa) {
        let Sequence { steps, units, .. } = self.sequence;
        self.sequence.check_units();
        let (sequence, batch) = (self.sequence, self.state.len() / (C::STATES * units));
        let [once, each] = Self::scratch(units);
        sequence.check("inputs of the state's weights", self.weights.inputs, &[units]);
        sequence.check("units of the state's weights", self.weights.units, &[units]);
        sequence.check("units of the inputs' weights", self.inputs.units, &[units]);
        sequence.check("scratch", self.scratch.len(), &[once + batch * each]);
        sequence.check("inputs", self.x.len(), &[batch, steps, self.inputs.inputs]);
        sequence.check("state", self.state.len(), &[C::STATES, batch, units]);
        sequence.check("outputs", self.y.len(), &sequence.outputs(batch));
        if let Some(starts) = self.starts {
            sequence.check("starts", starts.len(), &[Self::starts(units)]);
        }
        if let Some(saved) = &self.saved {
            saved.check::<C>(&sequence, batch);
        }
        if let Some(mask) = self.mask {
            sequence.check("mask", mask.len(), &[batch, steps]);
        }
        // Without samples there may be any number of steps.
        if batch > 0 {
            isa.run(self);
        }
    }
}

impl<C: Cell> Kernel for RecurrentForward<'_, C> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let Sequence { steps, units, last, .. } = self.sequence;
        let batch = self.state.len() / (C::STATES * units);
        let (h, c) = self.state.split_at_mut(batch * units);
        let (own, rest) = self.scratch.split_at_mut(Self::starts(units));
        let (between, other) = rest.split_at_mut(Self::between(units));
        let starts = match self.starts {
            Some(starts) => starts,
            None => {
                write_starts::<S, C>(s, units, [self.inputs.bias, self.weights.bias], own);
                own
            }
        };
        let (mut old, mut new) = (h, other);
        for k in 0..steps {
            let step = ForwardStep {
                sequence: self.sequence,
                step: self.sequence.step(k),
                x: self.x.as_ptr(),
                inputs: self.inputs,
                weights: self.weights,
                starts: starts.as_ptr(),
                saved: self.saved.as_mut().map(SavedPlaces::of),
                mask: self.mask,
                old: old.as_ptr(),
                new: new.as_mut_ptr(),
                c: c.as_mut_ptr(),
                strides: [units; 2],
                y: (!last).then_some(self.y.as_mut_ptr()),
            };
            // SAFETY: `RecurrentForward::run` has compared the length of every slice with `batch` samples,
            // the steps and the units.
            unsafe {
                if const { C::RESETS_FIRST } {
                    step.run_reset_first(s, batch, between.as_mut_ptr());
                } else {
                    step.run(s, batch);
                }
            }
            swap(&mut old, &mut new);
        }
        if last {
            for (sample, h) in old.chunks_exact(units).enumerate() {
                let at = self.sequence.output(sample, 0);
                self.y[at..at + units].copy_from_slice(h);
            }
        }
        if steps % 2 == 1 {
            new.copy_from_slice(old);
        }
    }
}

/// Where the slices of [`SavedSteps`] begin that forward writes.
#[derive(Clone, Copy)]
pub(super) struct SavedPlaces {
    pub gates: *mut f32,
    pub products: *mut f32,
    pub before: *mut f32,
    pub resets: *mut f32,
}

impl SavedPlaces {
    fn of(saved: &mut SavedSteps) -> SavedPlaces {
        SavedPlaces {
            gates: saved.gates.as_mut_ptr(),
            products: saved.products.as_mut_ptr(),
            before: saved.before.as_mut_ptr(),
            resets: saved.resets.as_mut_ptr(),
        }
    }
}

/// One step. The pointers point at the beginning of the slices of [`RecurrentForward`], and of parts of its
/// scratch.
pub(super) struct ForwardStep<'a, C> {
    pub sequence: Sequence,
    pub step: usize,
    pub x: *const f32,
    pub inputs: GateColumns<'a, C>,
    pub weights: GateColumns<'a, C>,
    /// What [`write_starts`] has written.
    pub starts: *const f32,
    pub saved: Option<SavedPlaces>,
    pub mask: Option<&'a [f32]>,
    /// The outputs of the step before and of this one, of each sample `units` numbers.
    pub old: *const f32,
    pub new: *mut f32,
    /// The rest of the state, as much, or nothing.
    pub c: *mut f32,
    /// From a sample's numbers to the next one's: in `old` and `c`, and in `new`.
    pub strides: [usize; 2],
    /// The outputs, unless only the last step has one.
    pub y: Option<*mut f32>,
}

impl<C: Cell> ForwardStep<'_, C> {
    /// Runs the step for all samples, as many at a time as there are registers for.
    ///
    /// # Safety
    /// Each pointer is valid for the length that [`RecurrentForward`] documents for its slice, with b =
    /// `batch`.
    #[inline(always)]
    pub unsafe fn run<S: Simd>(&self, s: S, batch: usize) {
        let units = self.sequence.units;
        let mut together = 0;
        for at in (0..units).step_by(LANES) {
            let mut sample = 0;
            // SAFETY: samples below `batch`, and at < units.
            unsafe {
                if const { S::REGISTERS >= 32 && C::GATES == 1 } {
                    sample = self.tiles::<S, 8, 1>(s, at, sample..batch);
                }
                if const { S::REGISTERS >= 32 || (S::REGISTERS >= 8 && C::GATES == 1) } {
                    sample = self.tiles::<S, 4, 1>(s, at, sample..batch);
                }
            }
            together = sample;
        }
        let mut at = 0;
        // SAFETY: samples below `batch`; of two blocks, the second starts at at + 16 < units.
        unsafe {
            if const { S::REGISTERS >= 32 } {
                while together < batch && at + LANES < units {
                    self.tiles::<S, 1, 2>(s, at, together..batch);
                    at += 2 * LANES;
                }
            }
            while together < batch && at < units {
                self.tiles::<S, 1, 1>(s, at, together..batch);
                at += LANES;
            }
        }
    }

    /// `B` blocks of sixteen units from `at` on, for the samples `R` at a time as long as there are as many;
    /// returns the next sample.
    ///
    /// # Safety
    /// As for `run`, with `samples.end <= batch` and `at + 16 · (B − 1) < units`.
    #[inline(always)]
    unsafe fn tiles<S: Simd, const R: usize, const B: usize>(&self, s: S, at: usize, samples: Range<usize>) -> usize {
        let Sequence { steps, .. } = self.sequence;
        let features = self.inputs.inputs;
        let (mut of_x, mut of_h) = ([[s.splat(0.0); 4]; B], [[s.splat(0.0); 4]; B]);
        for b in 0..B {
            for g in 0..C::GATES {
                let start = self.starts.wrapping_add(2 * C::GATES * at + (2 * C::GATES * b + g) * LANES);
                // SAFETY: for each sixteen units there are 2 · GATES vectors, and at + 16 · b < units.
                unsafe {
                    of_x[b][g] = s.load_ptr(start);
                    if C::SPLIT {
                        of_h[b][g] = s.load_ptr(start.add(C::GATES * LANES));
                    }
                }
            }
        }
        let nothing = [s.splat(0.0); 4];
        let mut sample = samples.start;
        while sample + R <= samples.end {
            let x = (self.x.wrapping_add((sample * steps + self.step) * features), steps * features);
            let h = (self.old.wrapping_add(sample * self.strides[0]), self.strides[0]);
            // SAFETY: sample + R <= batch, and each has `features` inputs at this step and `units` outputs of
            // the step before.
            let (sums, products) = unsafe {
                let sums = chain(s, [of_x; R], x, &self.inputs, at);
                if C::SPLIT {
                    (sums, chain(s, [of_h; R], h, &self.weights, at))
                } else {
                    (chain(s, sums, h, &self.weights, at), [[nothing; B]; R])
                }
            };
            let mut halfway = [[(nothing, [s.splat(0.0); 2]); B]; R];
            for r in 0..R {
                for b in 0..B {
                    // SAFETY: sample + r < batch and at + 16 · b < units.
                    let old = unsafe { self.state(s, at + b * LANES, sample + r) };
                    halfway[r][b] = (C::gates(s, sums[r][b], products[r][b], old), old);
                }
            }
            for r in 0..R {
                for b in 0..B {
                    let (both, (halfway, old)) = ((sums[r][b], products[r][b]), halfway[r][b]);
                    // SAFETY: sample + r < batch and at + 16 · b < units.
                    unsafe { self.output(s, (at + b * LANES, sample + r), halfway, both, old) };
                }
            }
            sample += R;
        }
        sample
    }

    /// The state of sixteen units of one sample before the step.
    ///
    /// # Safety
    /// As for `run`, with `sample < batch` and `at < units`.
    #[inline(always)]
    pub(super) unsafe fn state<S: Simd>(&self, s: S, at: usize, sample: usize) -> [S::F; 2] {
        let (lanes, place) = ((self.sequence.units - at).min(LANES), sample * self.strides[0] + at);
        let mut old = [s.splat(0.0); 2];
        // SAFETY: sample < batch and at + lanes <= units: within the numbers of a sample, which lie a stride
        // apart.
        unsafe {
            old[0] = get(s, self.old.add(place), lanes);
            if C::STATES == 2 {
                old[1] = get(s, self.c.add(place), lanes);
            }
        }
        old
    }

    /// The second half of the step for sixteen units of one sample, from both products and the state before.
    ///
    /// # Safety
    /// As for `run`, with `sample < batch` and `at < units`.
    #[inline(always)]
    pub(super) unsafe fn output<S: Simd>(
        &self,
        s: S,
        (at, sample): (usize, usize),
        halfway: Halfway<S::F>,
        (x, h): (Gates<S::F>, Gates<S::F>),
        old: [S::F; 2],
    ) {
        let Sequence { steps, units, .. } = self.sequence;
        let (place, lanes) = (sample * steps + self.step, (units - at).min(LANES));
        let counts = self.mask.is_none_or(|mask| mask[place].abs() > 0.0);
        let (of_state, of_new) = (sample * self.strides[0] + at, sample * self.strides[1] + at);
        let (mut gates, mut new) = C::output(s, halfway, x, h, old);
        let mut y = new[0];
        if !counts {
            (gates[C::GATES - 1], new, y) = (old[0], old, s.splat(0.0));
        }
        // SAFETY: as for the loads; an output row holds `at + units` numbers of this direction at least, as
        // `check_units` says.
        unsafe {
            put(s, new[0], self.new.add(of_new), lanes);
            if C::STATES == 2 {
                put(s, new[1], self.c.add(of_state), lanes);
            }
            if let Some(to) = self.y {
                put(s, y, to.add(self.sequence.output(sample, self.step) + at), lanes);
            }
        }
        let Some(SavedPlaces { gates: to, products, before, .. }) = self.saved else { return };
        let gate = |g: usize| (place * C::GATES + g) * units + at;
        // SAFETY: place < batch · steps, g < GATES and at + lanes <= units: below batch · steps · GATES ·
        // units, and for the states before below batch · steps · units.
        unsafe {
            for (g, value) in gates.into_iter().enumerate().take(C::GATES) {
                put(s, value, to.add(gate(g)), lanes);
            }
            if C::SPLIT {
                put(s, h[C::GATES - 1], products.add(gate(C::GATES - 1)), lanes);
            }
            put(s, old[C::STATES - 1], before.add(place * units + at), lanes);
        }
    }
}
