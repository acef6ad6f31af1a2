//! One step of a recurrence without masks, of streams side by side. In: a step of each, weights laid out once
//! for many calls, the state before. Out: outputs, and the state after. Nothing is kept for backward.

use core::marker::PhantomData;

use super::chain::write_starts;
use super::forward::ForwardStep;
use super::{Cell, GateColumns, GateWeights, RecurrentForward, Sequence};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// The weights of a cell as a step reads them, and what the sums at its gates start at.
#[derive(Clone, Copy)]
pub struct PreparedCell<'a, C> {
    /// The weights of the inputs.
    pub inputs: GateColumns<'a, C>,
    /// The weights of the state.
    pub weights: GateColumns<'a, C>,
    /// What the sums start at.
    pub starts: &'a [f32],
}

impl<'a, C: Cell> PreparedCell<'a, C> {
    /// Numbers that [`write`](PreparedCell::write) writes.
    pub const fn len(features: usize, units: usize) -> usize {
        let columns = GateColumns::<C>::laid_out_len(features, units);
        let state = GateColumns::<C>::laid_out_len(units, units);
        columns.saturating_add(state).saturating_add(RecurrentForward::<C>::starts(units))
    }

    /// Lays out the weights of the inputs and of the state.
    ///
    /// # Panics
    /// The weights are not those of one layer; `to` has another length than [`len`](PreparedCell::len) says.
    pub fn write(isa: Isa, [inputs, weights]: [GateWeights; 2], to: &mut [f32]) {
        let (features, units) = (inputs.panels.rows(), weights.panels.rows());
        let fits = inputs.panels.cols() == weights.panels.cols() && weights.panels.cols() == C::GATES * units;
        assert!(fits && to.len() == Self::len(features, units), "expected the weights of a layer, and room for them");
        let (of_inputs, rest) = to.split_at_mut(GateColumns::<C>::laid_out_len(features, units));
        let (of_state, starts) = rest.split_at_mut(GateColumns::<C>::laid_out_len(units, units));
        GateColumns::<C>::lay_out(&inputs, of_inputs);
        GateColumns::<C>::lay_out(&weights, of_state);
        let biases = [inputs.bias, weights.bias];
        isa.run(Starts { units, biases, to: starts, cell: PhantomData::<C> });
    }

    /// What has been written for a cell of so many features and units.
    ///
    /// # Panics
    /// `prepared` has another length than [`len`](PreparedCell::len) says.
    #[inline(always)]
    pub fn of(features: usize, units: usize, prepared: &'a [f32]) -> Self {
        assert!(prepared.len() == Self::len(features, units), "expected weights, laid out");
        let (inputs, rest) = prepared.split_at(GateColumns::<C>::laid_out_len(features, units));
        let (weights, starts) = rest.split_at(GateColumns::<C>::laid_out_len(units, units));
        PreparedCell {
            inputs: GateColumns::laid_out(features, units, inputs),
            weights: GateColumns::laid_out(units, units, weights),
            starts,
        }
    }
}

struct Starts<'a, C> {
    units: usize,
    biases: [Option<&'a [f32]>; 2],
    to: &'a mut [f32],
    cell: PhantomData<C>,
}

impl<C: Cell> Kernel for Starts<'_, C> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        write_starts::<S, C>(s, self.units, self.biases, self.to);
    }
}

/// One step of `b` streams.
pub struct RecurrentStep<'a, C> {
    /// Features of a step, and units of the cell.
    pub features: usize,
    /// Units of the cell.
    pub units: usize,
    /// `[b, features]`
    pub x: &'a [f32],
    /// What [`PreparedCell::write`] has written.
    pub prepared: &'a [f32],
    /// `[b, states, wide]`, where `wide` are the units padded to whole vectors: the state before the step,
    /// overwritten with that after it.
    pub state: &'a mut [f32],
    /// `[b, units]`
    pub y: &'a mut [f32],
    /// Which cell it is.
    pub cell: PhantomData<C>,
}

impl<C: Cell> RecurrentStep<'_, C> {
    /// Takes the step. The numbers are those of [`RecurrentForward`], whatever the number of streams.
    ///
    /// # Panics
    /// A slice has another length than the sizes ask for.
    #[inline]
    pub fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl<C: Cell> Kernel for RecurrentStep<'_, C> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let RecurrentStep { features, units, x, prepared, state, y, .. } = self;
        assert!(units > 0, "expected at least 1 unit");
        assert!(!C::RESETS_FIRST, "expected a cell of one product a step");
        let batch = y.len() / units;
        let wide = units.next_multiple_of(LANES);
        let each = C::STATES.checked_mul(wide).expect("states that can be counted");
        let fits = y.len() == batch * units
            && Some(x.len()) == batch.checked_mul(features)
            && Some(state.len()) == batch.checked_mul(each);
        assert!(fits, "expected a step of {features} features and {units} units for each of {batch} streams");
        let PreparedCell { inputs, weights, starts } = PreparedCell::<C>::of(features, units, prepared);
        let old = state.as_mut_ptr();
        let step = ForwardStep {
            sequence: Sequence { steps: 1, units, reverse: false, last: true, width: units, at: 0 },
            step: 0,
            x: x.as_ptr(),
            inputs,
            weights,
            starts: starts.as_ptr(),
            saved: None,
            mask: None,
            old,
            // All units read the outputs before.
            new: y.as_mut_ptr(),
            c: old.wrapping_add(if C::STATES == 2 { wide } else { 0 }),
            strides: [each, units],
            y: None,
        };
        // SAFETY: of each of `batch` streams there are `features` inputs and `units` outputs, and states
        // `each` apart: outputs first, then as many numbers more where there are two states. `starts` is as
        // long as `PreparedCell::of` says.
        unsafe { step.run(s, batch) };
        for (state, y) in state.chunks_exact_mut(each).zip(y.chunks_exact(units)) {
            copy(s, y, &mut state[..units]);
        }
    }
}

/// Copies, without a call.
#[inline(always)]
fn copy<S: Simd>(s: S, from: &[f32], to: &mut [f32]) {
    let (from, rest) = from.as_chunks();
    let (to, last) = to.as_chunks_mut();
    for (from, to) in from.iter().zip(to) {
        s.store(s.load(from), to);
    }
    if !last.is_empty() {
        s.store_part(s.load_part(rest), last);
    }
}
