//! The weights of a state with inputs and outputs changed over, for the way back. In: weights in panels; out: panels of the other form.
//! Made once for many steps. Nothing but copies.

use super::Weights;
use crate::matrix::{Panels, transpose_panel};
use crate::simd::{Isa, Kernel, Simd};

/// Weights from the gates to the state.
#[derive(Clone, Copy)]
pub struct Turned<'a> {
    pub(super) panels: Panels,
    pub(super) w: &'a [f32],
}

impl<'a> Turned<'a> {
    /// Numbers of scratch that [`new`](Turned::new) needs for so many units, and outputs of the weights.
    pub const fn scratch(units: usize, outputs: usize) -> usize {
        Panels::new(outputs, units).len()
    }

    /// Of these weights, units in and gates out. The bias is not read.
    ///
    /// # Panics
    /// A slice has another length than the panels ask for.
    pub fn new(isa: Isa, weights: &Weights, scratch: &'a mut [f32]) -> Self {
        let Weights { panels: from, w, .. } = *weights;
        let to = Panels::new(from.cols(), from.rows());
        assert!(
            w.len() == from.len() && scratch.len() == to.len(),
            "expected {} weights and {} numbers of scratch, found {} and {}",
            from.len(),
            to.len(),
            w.len(),
            scratch.len()
        );
        isa.run(Turn { from, w, to, turned: scratch });
        Turned { panels: to, w: scratch }
    }
}

struct Turn<'a> {
    from: Panels,
    w: &'a [f32],
    to: Panels,
    turned: &'a mut [f32],
}

impl Kernel for Turn<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Turn { from, w, to, turned } = self;
        for panel in 0..to.count() {
            let end = to.offset(panel) + to.width(panel) * to.rows();
            transpose_panel(s, from, w, panel, &mut turned[to.offset(panel)..end]);
        }
    }
}
