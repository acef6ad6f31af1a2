//! The weights of a state with inputs and outputs changed over, for the way back. In: weights in panels; out: panels of the other form.
//! Made once for many steps, in squares of sixteen. Nothing but copies.

use super::Weights;
use crate::kernels::matrix::Panels;
use crate::kernels::simd::{Isa, Kernel, LANES, Simd};

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
        for column in (0..from.cols()).step_by(LANES) {
            for row in (0..from.rows()).step_by(LANES) {
                let mut square = [s.splat(0.0); LANES];
                for (k, vector) in square.iter_mut().enumerate().take(from.rows() - row) {
                    *vector = s.load_part(&w[from.index(row + k, column)..][..LANES]);
                }
                s.transpose(&mut square);
                for (k, vector) in square.into_iter().enumerate().take(from.cols() - column) {
                    s.store_part(vector, &mut turned[to.index(column + k, row)..][..LANES]);
                }
            }
        }
    }
}
