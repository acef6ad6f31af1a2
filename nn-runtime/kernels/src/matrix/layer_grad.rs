//! The gradients of a layer's matrix and bias, from the samples of a whole batch or a part: one sum, or
//! several where they are many. In: inputs and gradients of the outputs. Out: gradients, added or
//! overwritten.

use core::ops::Range;

#[cfg(feature = "alloc")]
use super::backward_weight::{MatrixBackwardBias, MatrixBackwardWeight};
#[cfg(feature = "alloc")]
use super::few_weights::FewWeights;
use super::{Panels, backward_bias, backward_weight};
#[cfg(feature = "alloc")]
use crate::long_sums::BLOCK;
use crate::long_sums::{RowSums, Sums};
#[cfg(feature = "alloc")]
use crate::simd::{Kernel, Simd};

/// `dw[i, j] += Σ_s x[s, i] · dy[s, j]`, or with `overwrite` `= …`, of a part of the storage, as
/// [`backward_weight`], with sums over as many rows as `sums` says.
///
/// # Panics
/// As [`backward_weight`].
pub fn add_weight_grad(
    sums: RowSums,
    p: Panels,
    x: &[f32],
    dy: &[f32],
    (range, dw): (Range<usize>, &mut [f32]),
    mut overwrite: bool,
) {
    if overwrite && sums.adds_elsewhere() {
        dw.fill(0.0);
        overwrite = false;
    }
    sums.add(dw, |rows, of, dw, blocks| {
        let x = &x[rows.start * p.rows()..rows.end * p.rows()];
        let dy = &dy[rows.start * p.cols()..rows.end * p.cols()];
        let range = range.start + of.start..range.start + of.end;
        let of_sums = Sums { overwrite: overwrite && rows.start == 0, blocks };
        backward_weight(sums.isa, p, x, dy, range, dw, of_sums);
    });
}

/// `db[j] += Σ_s dy[s, j]` for a range of the outputs, of which there are `cols`.
///
/// # Panics
/// As [`backward_bias`].
pub fn add_bias_grad(sums: RowSums, cols: usize, dy: &[f32], range: Range<usize>, db: &mut [f32]) {
    if range.is_empty() {
        return;
    }
    sums.add(db, |rows, of, db, blocks| {
        let dy = &dy[rows.start * cols..rows.end * cols];
        backward_bias(sums.isa, cols, dy, range.start + of.start..range.start + of.end, db, blocks);
    });
}

/// All gradients of a layer, which are overwritten, within a kernel. The lengths must be those that
/// [`backward_weight`] and [`backward_bias`] ask for.
#[cfg(feature = "alloc")]
pub(crate) struct LayerGrad<'a> {
    pub sums: RowSums,
    pub p: Panels,
    pub x: &'a [f32],
    pub dy: &'a [f32],
}

#[cfg(feature = "alloc")]
impl LayerGrad<'_> {
    #[inline(always)]
    pub fn weight<S: Simd>(&self, s: S, dw: &mut [f32]) {
        let LayerGrad { sums, p, x, dy } = *self;
        let Some(blocks) = sums.at_once().filter(|_| sums.rows > 0) else {
            return add_weight_grad(sums, p, x, dy, (0..p.len(), dw), true);
        };
        let (x, dy) = if p.transposed() { (dy, x) } else { (x, dy) };
        let (p, batch, sums) = (p.stored(), sums.rows, Sums { overwrite: true, blocks });
        if FewWeights::takes(p, batch) {
            return FewWeights { p, x, dy, dw, sums }.run(s);
        }
        s.call(MatrixBackwardWeight { p, batch, x, dy, range: 0..p.len(), dw, sums });
    }

    #[inline(always)]
    pub fn bias<S: Simd>(&self, s: S, db: &mut [f32]) {
        let (cols, start) = (self.p.cols(), 0);
        db.fill(0.0);
        match self.sums.at_once() {
            Some(block) if self.sums.rows <= BLOCK || !block => {
                MatrixBackwardBias { cols, dy: self.dy, start, db, block }.run(s);
            }
            _ => add_bias_grad(self.sums, cols, self.dy, 0..cols, db),
        }
    }
}
