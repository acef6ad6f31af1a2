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
    /// Whether they are in panels still.
    direct: bool,
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
            false => Self::laid_out_len(inputs, units),
        }
    }

    /// Numbers of the weights from so many inputs to a cell of `units`, laid out.
    pub(super) const fn laid_out_len(inputs: usize, units: usize) -> usize {
        units.div_ceil(LANES).saturating_mul(LANES * C::GATES).saturating_mul(inputs)
    }

    /// From the weights of a layer.
    ///
    /// # Panics
    /// The columns are no multiple of the gates, or a slice has another length than the layout asks for.
    pub fn new(weights: &GateWeights<'a>, scratch: &'a mut [f32]) -> Self {
        let (inputs, units) = Self::sizes(weights);
        let found = scratch.len();
        assert!(
            found == Self::scratch(inputs, units),
            "expected {} numbers of scratch for {units} units, found {found}",
            Self::scratch(inputs, units)
        );
        let GateWeights { bias, w, .. } = *weights;
        if direct(units) {
            return GateColumns { inputs, units, bias, w, direct: true, cell: PhantomData };
        }
        Self::lay_out(weights, scratch);
        GateColumns { inputs, units, bias, w: scratch, direct: false, cell: PhantomData }
    }

    /// From what [`lay_out`](GateColumns::lay_out) has written for a cell of `units`, without its bias.
    #[inline(always)]
    pub(super) fn laid_out(inputs: usize, units: usize, w: &'a [f32]) -> Self {
        assert!(w.len() == Self::laid_out_len(inputs, units), "expected weights, laid out");
        GateColumns { inputs, units, bias: None, w, direct: false, cell: PhantomData }
    }

    /// The inputs and units of a layer's weights.
    fn sizes(weights: &GateWeights) -> (usize, usize) {
        let GateWeights { panels, w, bias } = weights;
        let units = panels.cols() / C::GATES;
        let fits = panels.cols() == C::GATES * units && w.len() == panels.len();
        assert!(fits, "expected {} weights for {units} units, found {}", panels.len(), w.len());
        let found = bias.map_or(panels.cols(), <[f32]>::len);
        assert!(found == panels.cols(), "expected {} biases, found {found}", panels.cols());
        (panels.rows(), units)
    }

    /// Writes the weights so that no vector crosses the end of a panel.
    ///
    /// # Panics
    /// `to` is shorter than [`laid_out_len`](GateColumns::laid_out_len) says.
    pub(super) fn lay_out(weights: &GateWeights, to: &mut [f32]) {
        let (inputs, units) = Self::sizes(weights);
        let GateWeights { panels, w, .. } = *weights;
        let mut to = to.chunks_exact_mut(LANES);
        for at in (0..units).step_by(LANES) {
            for k in 0..inputs {
                for g in 0..C::GATES {
                    let to = to.next().expect("room for all weights");
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
    }

    /// The vectors of the sixteen units from `at` on, `at` a multiple of sixteen below the units.
    #[inline(always)]
    pub(super) fn vectors(&self, at: usize) -> GateVectors {
        assert!(at < self.units && at.is_multiple_of(LANES));
        let (gate, input, offset) = if self.direct {
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
