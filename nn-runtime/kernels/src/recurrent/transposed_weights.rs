//! The transposed weights of a state, for backward: made once for all steps.
//! In: weights in panels. Out: panels of the transposed matrix.

use super::GateWeights;
use crate::matrix::{Panels, transpose_panel};
use crate::simd::{Isa, Kernel, Simd};

/// The transposed weights: from the gates back to the state.
#[derive(Clone, Copy)]
pub struct TransposedWeights<'a> {
    pub(super) panels: Panels,
    pub(super) w: &'a [f32],
}

impl<'a> TransposedWeights<'a> {
    /// Numbers of scratch that [`new`](TransposedWeights::new) needs for so many units, and outputs of the
    /// weights.
    pub const fn scratch(units: usize, outputs: usize) -> usize {
        Panels::new(outputs, units).len()
    }

    /// From the weights from the state to the gates. The bias is not read.
    ///
    /// # Panics
    /// A slice has another length than the panels ask for.
    pub fn new(isa: Isa, weights: &GateWeights, scratch: &'a mut [f32]) -> Self {
        let GateWeights { panels: from, w, .. } = *weights;
        let to = Panels::new(from.cols(), from.rows());
        assert!(
            w.len() == from.len() && scratch.len() == to.len(),
            "expected {} weights and {} numbers of scratch, found {} and {}",
            from.len(),
            to.len(),
            w.len(),
            scratch.len()
        );
        isa.run(TransposeWeights { from, w, to, transposed: scratch });
        TransposedWeights { panels: to, w: scratch }
    }
}

struct TransposeWeights<'a> {
    from: Panels,
    w: &'a [f32],
    to: Panels,
    transposed: &'a mut [f32],
}

impl Kernel for TransposeWeights<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let TransposeWeights { from, w, to, transposed } = self;
        for panel in 0..to.count() {
            let end = to.offset(panel) + to.width(panel) * to.rows();
            transpose_panel(s, from, w, panel, &mut transposed[to.offset(panel)..end]);
        }
    }
}
