//! Backward to the bias: the sums of the gradients that pass, added to what is there.

use core::ops::Range;

use super::MaxPoolGrad;
use crate::compensated::WideSum;
use crate::pool::Pool;
use crate::simd::{Isa, Kernel, LANES, Simd};

/// `db[f] += Σ_(s, p) dy[s, f, p]` over the maxima that pass a gradient, for the filters f in `range`.
///
/// The sum over the windows of a sample is taken in sixteen lanes, long ones in `f64`; the sums are added in
/// the order of the samples to what is there.
///
/// # Panics
/// `grad.dy.len()` is no multiple of `pool.y_len()`; `grad.argmax.len() != grad.dy.len()`;
/// `range.end > pool.channels`; `db.len() != range.len()`.
pub fn backward_bias(isa: Isa, pool: Pool, grad: MaxPoolGrad, range: Range<usize>, db: &mut [f32]) {
    let (len, filters) = (pool.y_len(), pool.channels);
    assert!(
        grad.dy.len().is_multiple_of(len) && grad.argmax.len() == grad.dy.len(),
        "expected samples of {len} gradients and as many positions, found {} and {} numbers",
        grad.dy.len(),
        grad.argmax.len()
    );
    assert!(
        range.start <= range.end && range.end <= filters && db.len() == range.len(),
        "expected a range of 0..{filters} and as many numbers, found {range:?} and {}",
        db.len()
    );
    isa.run(FusedBackwardBias { pool, grad, start: range.start, db });
}

struct FusedBackwardBias<'a> {
    pool: Pool,
    grad: MaxPoolGrad<'a>,
    start: usize,
    db: &'a mut [f32],
}

impl Kernel for FusedBackwardBias<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let len = self.pool.y_len();
        let windows = len / self.pool.channels;
        let first = self.start * windows;
        for (dy, argmax) in self.grad.dy.chunks_exact(len).zip(self.grad.argmax.chunks_exact(len)) {
            let filters = dy[first..].chunks_exact(windows).zip(argmax[first..].chunks_exact(windows));
            for (db, (dy, argmax)) in self.db.iter_mut().zip(filters) {
                let mut sum = WideSum::zero(s);
                for (dy, argmax) in dy.chunks(LANES).zip(argmax.chunks(LANES)) {
                    // Positions are below 2³¹, and what the floor has replaced is not.
                    let replaced = s.lt_i(s.bits(s.load_part(argmax)), s.splat_i(0));
                    sum.add(s, s.select(replaced, s.splat(0.0), s.load_part(dy)));
                }
                *db += sum.sum(s);
            }
        }
    }
}
