//! The gradients of the weights and biases of normalised rows: sums down the rows, a few vectors of weights
//! at a time, or where adjacent numbers have the same weight, along those first. In: rows, gradients, what
//! forward saved. Out: a range of the gradients, added to what is there. A sum takes the rows in their order,
//! whatever the range.

use core::ops::Range;

use super::{NormRows, RowGradTerms, RowMoments, RowValue, SAVED_PER_ROW};
use crate::reduce::lane_sums;
use crate::simd::{Isa, Kernel, LANES, Simd};

/// Vectors of weights whose sums are computed at the same time.
const VECTORS: usize = 4;

/// The gradient of the weights, or of the biases where `saved` is missing.
struct RowNormBackwardWeight<'a> {
    rows: NormRows,
    x: &'a [f32],
    dy: &'a [f32],
    saved: Option<&'a [[f32; SAVED_PER_ROW]]>,
    range: Range<usize>,
    to: &'a mut [f32],
}

impl Kernel for RowNormBackwardWeight<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let NormRows { row, span, weights, .. } = self.rows;
        let (range, to) = (self.range.clone(), core::mem::take(&mut self.to));
        // The distance from a row to the next with the same weights.
        let period = weights / (row / span);
        // Weights beyond those of the last row have no gradient.
        for phase in 0..period.min(self.dy.len() / row) {
            let first = self.rows.first(phase);
            // The part of the range that these rows have weights for.
            let from = first.clamp(range.start, range.end);
            let end = (first + row / span).clamp(from, range.end);
            if from == end {
                continue;
            }
            let to = &mut to[from - range.start..end - range.start];
            let rows = (phase..self.dy.len() / row).step_by(period);
            if span == 1 {
                for (i, to) in to.chunks_mut(VECTORS * LANES).enumerate() {
                    self.down(s, rows.clone(), from - first + i * VECTORS * LANES, to);
                }
            } else {
                for row in rows {
                    self.along(s, row, from - first, to);
                }
            }
        }
    }
}

impl RowNormBackwardWeight<'_> {
    /// Adds up the numbers from `column` on of these rows.
    #[inline(always)]
    fn down<S: Simd>(&self, s: S, rows: impl Iterator<Item = usize>, column: usize, to: &mut [f32]) {
        let mut sums = [s.splat(0.0); VECTORS];
        for (sum, to) in sums.iter_mut().zip(to.chunks(LANES)) {
            *sum = s.load_part(to);
        }
        for row in rows {
            let at = row * self.rows.row + column;
            let (dy, x) = (&self.dy[at..at + to.len()], &self.x[at..at + to.len()]);
            let numbers = dy.chunks(LANES).zip(x.chunks(LANES));
            match self.saved {
                None => {
                    for (sum, (dy, _)) in sums.iter_mut().zip(numbers) {
                        *sum = s.add(*sum, s.load_part(dy));
                    }
                }
                Some(saved) => {
                    let RowMoments { mean, rest, scale } = RowMoments::saved(saved[row]);
                    for (sum, (dy, x)) in sums.iter_mut().zip(numbers) {
                        let x = s.sub(s.sub(s.load_part(x), s.splat(mean)), s.splat(rest));
                        *sum = s.fma(s.mul(s.load_part(dy), s.splat(scale)), x, *sum);
                    }
                }
            }
        }
        for (sum, to) in sums.into_iter().zip(to.chunks_mut(LANES)) {
            s.store_part(sum, to);
        }
    }

    /// Adds a row's terms for its weights from `first` on, each of which covers `span` adjacent numbers.
    #[inline(always)]
    fn along<S: Simd>(&self, s: S, row: usize, first: usize, to: &mut [f32]) {
        let at = row * self.rows.row + first * self.rows.span;
        let pieces = self.dy[at..].chunks_exact(self.rows.span).zip(self.x[at..].chunks_exact(self.rows.span));
        for (to, (dy, x)) in to.iter_mut().zip(pieces) {
            *to += match self.saved {
                None => s.sum(lane_sums(s, &RowValue, [dy])[0]),
                Some(saved) => {
                    let RowMoments { mean, rest, scale } = RowMoments::saved(saved[row]);
                    let [plain, along] = lane_sums(s, &RowGradTerms(mean), [dy, x]);
                    (s.sum(along) - rest * s.sum(plain)) * scale
                }
            };
        }
    }
}

/// Adds the gradient of a range of the weights, row after row, with what [`row_norm`](super::row_norm) saved.
///
/// # Panics
/// As [`row_norm`](super::row_norm).
pub fn row_weight_backward(
    isa: Isa,
    rows: NormRows,
    x: &[f32],
    dy: &[f32],
    saved: &[f32],
    range: Range<usize>,
    dw: &mut [f32],
) {
    rows.check(&[x.len(), dy.len()]);
    isa.run(RowNormBackwardWeight { rows, x, dy, saved: Some(saved.as_chunks().0), range, to: dw });
}

/// Adds the gradient of a range of the biases, row after row.
///
/// # Panics
/// As [`row_norm`](super::row_norm).
pub fn row_bias_backward(isa: Isa, rows: NormRows, dy: &[f32], range: Range<usize>, db: &mut [f32]) {
    rows.check(&[dy.len()]);
    isa.run(RowNormBackwardWeight { rows, x: dy, dy, saved: None, range, to: db });
}
