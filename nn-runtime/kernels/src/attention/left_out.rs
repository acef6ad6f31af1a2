//! Attention over numbers that are not finite: what has the weight 0 (a masked key, a later key of a causal
//! head, a query whose output has no gradient) must be left out, as 0 times NaN or infinity is NaN. In: what
//! `products` takes. Out: the same results, from the terms that count. Slow, and only used where numbers are
//! not finite.

use super::products::{AttentionProduct, load, store};
use crate::simd::{LANES, Simd};

/// Whether all numbers and their squares are finite, so that 0 times a product of two of them is 0.
#[inline(always)]
pub(super) fn all_finite<'a, S: Simd>(s: S, rows: impl Iterator<Item = &'a [f32]>) -> bool {
    let zero = s.splat(0.0);
    let mut sum = zero;
    for row in rows {
        let (whole, rest) = row.as_chunks::<LANES>();
        for x in whole {
            let x = s.load(x);
            sum = s.fma(s.mul(x, x), zero, sum);
        }
        let x = s.load_part(rest);
        sum = s.fma(s.mul(x, x), zero, sum);
    }
    // 0 times what is not finite is NaN.
    s.sum(sum) == 0.0
}

/// As [`product`](super::products::product), without the steps of the depth where `a` is 0, or where
/// `counts`, if given, is 0.
///
/// # Safety
/// As for [`product`](super::products::product).
#[inline(always)]
pub(super) unsafe fn product_without_zeros<S: Simd>(
    s: S,
    job: AttentionProduct,
    rows: usize,
    columns: usize,
    counts: Option<&[f32]>,
) {
    let AttentionProduct { a, row, step, b, b_step, c, c_row, depth, add } = job;
    for r in 0..rows {
        for column in (0..columns).step_by(LANES) {
            let lanes = LANES.min(columns - column);
            let to = c.wrapping_add(r * c_row + column);
            // SAFETY: r < rows and column + lanes <= columns, by the contract.
            let mut sum = if add { unsafe { load::<S, true>(s, to, lanes) } } else { s.splat(0.0) };
            for d in (0..depth).filter(|d| counts.is_none_or(|counts| counts[*d] != 0.0)) {
                // SAFETY: r < rows and d < depth, by the contract.
                let x = unsafe { *a.wrapping_add(r * row + d * step) };
                if x != 0.0 {
                    // SAFETY: d < depth and column + lanes <= columns, by the contract.
                    let vector = unsafe { load::<S, true>(s, b.wrapping_add(d * b_step + column), lanes) };
                    sum = s.fma(s.splat(x), vector, sum);
                }
            }
            // SAFETY: r < rows and column + lanes <= columns, by the contract.
            unsafe { store::<S, true>(s, sum, to, lanes) };
        }
    }
}
