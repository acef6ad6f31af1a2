//! GateWeights in the order that forward reads them: for sixteen units, the vectors of all their gates. In:
//! weights in panels. Out: the same memory where no vector crosses the end of a panel, else a copy in
//! scratch.

use core::marker::PhantomData;

use super::{Cell, GateWeights};
use crate::matrix::Panels;
use crate::simd::LANES;

/// The weights of all gates of a cell, read sixteen units at a time, and their bias.
#[derive(Clone, Copy)]
pub struct GateColumns<'a, C> {
    pub(super) inputs: usize,
    pub(super) units: usize,
    pub(super) bias: Option<&'a [f32]>,
    w: &'a [f32],
    cell: PhantomData<C>,
}

/// Where the vectors of sixteen units are: that of gate `g` and input `k` at `first + g · gate + k · input`.
/// With `g` below the cell's gates and `k` below the inputs, sixteen numbers can be read there.
#[derive(Clone, Copy)]
pub(super) struct GateVectors {
    pub first: *const f32,
    pub gate: usize,
    pub input: usize,
}

impl<'a, C: Cell> GateColumns<'a, C> {
    /// Numbers of scratch that [`new`](GateColumns::new) needs for so many inputs of a cell of `units`.
    pub const fn scratch(inputs: usize, units: usize) -> usize {
        match direct(units) {
            true => 0,
            false => units.div_ceil(LANES).saturating_mul(LANES * C::GATES).saturating_mul(inputs),
        }
    }

    /// From the weights of a layer.
    ///
    /// # Panics
    /// The columns are no multiple of the gates, or a slice has another length than the layout asks for.
    pub fn new(weights: &GateWeights<'a>, scratch: &'a mut [f32]) -> Self {
        let GateWeights { panels, w, .. } = *weights;
        let (inputs, units) = (panels.rows(), panels.cols() / C::GATES);
        assert!(
            panels.cols() == C::GATES * units
                && w.len() == panels.len()
                && scratch.len() == Self::scratch(inputs, units),
            "expected {} weights for {units} units, and {} numbers of scratch, found {} and {}",
            panels.len(),
            Self::scratch(inputs, units),
            w.len(),
            scratch.len()
        );
        if direct(units) {
            return GateColumns::laid_out(weights, scratch);
        }
        let mut to = scratch.chunks_exact_mut(LANES);
        for at in (0..units).step_by(LANES) {
            for k in 0..inputs {
                for (g, to) in to.by_ref().take(C::GATES).enumerate() {
                    let (column, lanes) = (g * units + at, (units - at).min(LANES));
                    // Those left in this panel, and the rest from the beginning of the next.
                    let here = lanes.min(Panels::WIDTH - column % Panels::WIDTH);
                    to[..here].copy_from_slice(&w[panels.index(k, column)..][..here]);
                    if here < lanes {
                        to[here..lanes].copy_from_slice(&w[panels.index(k, column + here)..][..lanes - here]);
                    }
                    to[lanes..].fill(0.0);
                }
            }
        }
        GateColumns::laid_out(weights, scratch)
    }

    /// From the weights of a layer, and what [`new`](GateColumns::new) has written of them into its scratch
    /// before.
    ///
    /// # Panics
    /// The columns are no multiple of the gates, or a slice has another length than the layout asks for.
    pub fn laid_out(weights: &GateWeights<'a>, columns: &'a [f32]) -> Self {
        let GateWeights { panels, w, bias } = *weights;
        let (inputs, units) = (panels.rows(), panels.cols() / C::GATES);
        let fits = panels.cols() == C::GATES * units && w.len() == panels.len();
        assert!(fits && columns.len() == Self::scratch(inputs, units), "expected the weights of a layer, laid out");
        let found = bias.map_or(panels.cols(), <[f32]>::len);
        assert!(found == panels.cols(), "expected {} biases, found {found}", panels.cols());
        GateColumns { inputs, units, bias, w: if direct(units) { w } else { columns }, cell: PhantomData }
    }

    /// The vectors of the sixteen units from `at` on, `at` a multiple of sixteen below the units.
    #[inline(always)]
    pub(super) fn vectors(&self, at: usize) -> GateVectors {
        assert!(at < self.units && at.is_multiple_of(LANES));
        let (gate, input, offset) = if direct(self.units) {
            let within = at % Panels::WIDTH;
            (self.units * self.inputs, Panels::WIDTH, (at - within) * self.inputs + within)
        } else {
            (LANES, C::GATES * LANES, at * C::GATES * self.inputs)
        };
        GateVectors { first: self.w.as_ptr().wrapping_add(offset), gate, input }
    }
}

/// Whether the columns of every gate fill whole panels.
#[inline(always)]
const fn direct(units: usize) -> bool {
    units.is_multiple_of(Panels::WIDTH)
}
