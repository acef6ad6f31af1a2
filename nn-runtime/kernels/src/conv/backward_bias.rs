//! Backward to the bias: the sums of the gradients of each filter's outputs, added to what is there.

use core::ops::Range;

use super::Conv;
use crate::compensated::WideSum;
use crate::simd::{Isa, Kernel, LANES, Simd};

/// `db[f] += Σ_(s, p) dy[s, f, p]` for the filters f in `range`.
///
/// The sum over the positions of a sample is taken in sixteen lanes, or one by one where channels are last,
/// long ones in `f64`; the sums are added in the order of the samples to what is there.
///
/// # Panics
/// `dy.len()` is no multiple of `c.y_len()`; `range.end > c.filters`; `db.len() != range.len()`.
pub fn backward_bias(isa: Isa, c: Conv, dy: &[f32], range: Range<usize>, db: &mut [f32]) {
    match c.channels_last {
        true => backward_bias_by::<true>(isa, c, dy, range, db),
        false => backward_bias_by::<false>(isa, c, dy, range, db),
    }
}

/// See [`Conv::backward`].
pub(super) fn backward_bias_by<const CHANNELS_LAST: bool>(
    isa: Isa,
    c: Conv,
    dy: &[f32],
    range: Range<usize>,
    db: &mut [f32],
) {
    assert!(
        dy.len().is_multiple_of(c.y_len()),
        "expected samples of {} outputs, found {} numbers",
        c.y_len(),
        dy.len()
    );
    assert!(
        range.start <= range.end && range.end <= c.filters && db.len() == range.len(),
        "expected a range of 0..{} and as many numbers, found {range:?} and {}",
        c.filters,
        db.len()
    );
    isa.run(ConvBackwardBias::<CHANNELS_LAST> { c, dy, start: range.start, db });
}

/// Gradients that are added in `f32` before a sum goes on in `f64`, in 64 chains of 16.
const BLOCK: usize = 16 * 4 * LANES;

struct ConvBackwardBias<'a, const CHANNELS_LAST: bool> {
    c: Conv,
    dy: &'a [f32],
    start: usize,
    db: &'a mut [f32],
}

impl<const CHANNELS_LAST: bool> Kernel for ConvBackwardBias<'_, CHANNELS_LAST> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let positions = self.c.pixels();
        if CHANNELS_LAST {
            return self.channels_last(s);
        }
        for dy in self.dy.chunks_exact(self.c.y_len()) {
            for (db, dy) in self.db.iter_mut().zip(dy[self.start * positions..].chunks_exact(positions)) {
                let mut total = 0.0;
                for dy in dy.chunks(BLOCK) {
                    let mut sums = [s.splat(0.0); 4];
                    for dy in dy.chunks(4 * LANES) {
                        for (sum, dy) in sums.iter_mut().zip(dy.chunks(LANES)) {
                            *sum = s.add(*sum, s.load_part(dy));
                        }
                    }
                    let [a, b, c, d] = sums;
                    total += f64::from(s.sum(s.add(s.add(a, b), s.add(c, d))));
                }
                *db += total as f32;
            }
        }
    }
}

impl<const CHANNELS_LAST: bool> ConvBackwardBias<'_, CHANNELS_LAST> {
    /// Lanes are filters.
    #[inline(always)]
    fn channels_last<S: Simd>(self, s: S) {
        let filters = self.c.filters;
        for dy in self.dy.chunks_exact(self.c.y_len()) {
            for (n, db) in self.db.chunks_mut(LANES).enumerate() {
                let first = self.start + n * LANES;
                let mut sums = WideSum::zero(s);
                for dy in dy.chunks_exact(filters) {
                    sums.add(s, s.load_part(&dy[first..first + db.len()]));
                }
                for (db, sum) in db.iter_mut().zip(sums.lanes(s)) {
                    *db += sum as f32;
                }
            }
        }
    }
}
