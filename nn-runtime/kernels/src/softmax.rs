//! Functions of the rows of a matrix `[rows, n]`: softmax, its logarithm, their gradients, maximum, sum,
//! cross-entropy. In: an `Isa`, the row length n, whole matrices as slices. Out: filled slices. The result of
//! a row depends neither on other rows nor on how many there are.

mod cross_entropy;
mod narrow;
#[cfg(test)]
mod tests;

use super::math;
use super::reduce::LongSum;
use super::simd::{Isa, Kernel, LANE_INDEX, LANES, Simd};

pub use cross_entropy::{
    cross_entropy_distribution, cross_entropy_distribution_value, cross_entropy_labels, cross_entropy_labels_value,
};

/// Whether short rows are taken sixteen at a time; else one by one, to the same bits.
const TRANSPOSED: bool = !cfg!(feature = "small");

/// The first `len` lanes, those that the last vector of a row fills.
#[inline(always)]
fn filled<S: Simd>(s: S, len: usize) -> S::M {
    s.lt_i(s.load_i(&LANE_INDEX), s.splat_i(len as i32))
}

/// The last vector of a row, with −∞ in the lanes past its end: never the maximum, and 0 in a sum of
/// exponentials.
#[inline(always)]
fn load_tail<S: Simd>(s: S, tail: &[f32]) -> S::F {
    s.select(filled(s, tail.len()), s.load_part(tail), s.splat(f32::NEG_INFINITY))
}

/// The largest number of a row, given its last vector.
#[inline(always)]
fn largest<S: Simd>(s: S, full: &[[f32; LANES]], tail: S::F) -> f32 {
    let mut most = tail;
    for x in full {
        most = s.max(most, s.load(x));
    }
    s.largest(most)
}

/// softmax(x) or its logarithm, by rows; the maximum is subtracted first, so that no exponential overflows.
/// In place, x is empty and y is the input.
struct SoftmaxRows<'a, const LOG: bool, const IN_PLACE: bool> {
    n: usize,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl<const LOG: bool, const IN_PLACE: bool> Kernel for SoftmaxRows<'_, LOG, IN_PLACE> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let SoftmaxRows { n, x, y } = self;
        let whole = if TRANSPOSED && n <= LANES { whole_blocks(n, y.len()) } else { 0 };
        let (blocks, rows) = y.split_at_mut(whole);
        for (i, y) in blocks.chunks_mut(n * LANES).enumerate() {
            if IN_PLACE {
                narrow::softmax_in_place::<S, LOG>(s, n, y);
            } else {
                narrow::softmax::<S, LOG>(s, n, &x[i * n * LANES..][..y.len()], y);
            }
        }
        for (i, y) in rows.chunks_mut(n).enumerate() {
            let x = if IN_PLACE { x } else { &x[whole + i * n..][..n] };
            softmax_row::<S, LOG, IN_PLACE>(s, x, y);
        }
    }
}

/// Σ e^z of rows whose largest z is 0: where that one is far above the others, the sum is near 1, and what it
/// is above 1 would be rounded away.
#[derive(Clone, Copy)]
struct ExpSum<F> {
    all: F,
    /// The sum less 1, to a few roundings of its own size.
    above_one: F,
}

impl<F: Copy> ExpSum<F> {
    /// From the sum of all and that of [`without_largest`].
    #[inline(always)]
    fn new<S: Simd<F = F>>(s: S, all: F, others: F) -> Self {
        let one = s.splat(1.0);
        // Below 1.5 there is only one that is the largest, and the others are what is above 1. The comparison
        // is false for NaN, which stays.
        ExpSum { all, above_one: s.select(s.lt(all, s.splat(1.5)), others, s.sub(all, one)) }
    }

    /// Its logarithm, exact near 0 too.
    #[cfg_attr(feature = "small", inline(never))]
    #[cfg_attr(not(feature = "small"), inline(always))]
    fn ln<S: Simd<F = F>>(self, s: S) -> F {
        math::ln_1p(s, self.above_one)
    }
}

/// `e`, which is e^z, but 0 where z is the largest of its row, 0.
#[inline(always)]
fn without_largest<S: Simd>(s: S, z: S::F, e: S::F) -> S::F {
    let zero = s.splat(0.0);
    s.select(s.eq(z, zero), zero, e)
}

/// How many numbers belong to rows taken sixteen at a time: all but a few last rows, which are faster one by
/// one.
fn whole_blocks(n: usize, len: usize) -> usize {
    const FEW: usize = 4;
    let over = len % (n * LANES);
    if over <= FEW * n { len - over } else { len }
}

#[cfg_attr(feature = "small", inline(never))]
#[cfg_attr(not(feature = "small"), inline(always))]
fn softmax_row<S: Simd, const LOG: bool, const IN_PLACE: bool>(s: S, x: &[f32], y: &mut [f32]) {
    let (x_full, x_tail) = x.as_chunks::<LANES>();
    let (full, tail) = y.as_chunks_mut::<LANES>();
    let last = load_tail(s, if IN_PLACE { tail } else { x_tail });
    let most = s.splat(largest(s, if IN_PLACE { full } else { x_full }, last));
    let last = s.sub(last, most);
    let last_exp = math::exp(s, last);
    let (mut sum, mut others) = (LongSum::new(last_exp), LongSum::new(without_largest(s, last, last_exp)));
    for i in 0..full.len() {
        let shifted = s.sub(s.load(if IN_PLACE { &full[i] } else { &x_full[i] }), most);
        let e = math::exp(s, shifted);
        sum.add(s, e);
        others.add(s, without_largest(s, shifted, e));
        s.store(if LOG { shifted } else { e }, &mut full[i]);
    }
    let sum = s.splat(sum.total(s));
    if LOG {
        let log = ExpSum::new(s, sum, s.splat(others.total(s))).ln(s);
        for y in full {
            s.store(s.sub(s.load(y), log), y);
        }
        s.store_part(s.sub(last, log), tail);
    } else {
        let factor = s.div(s.splat(1.0), sum);
        for y in full {
            s.store(s.mul(s.load(y), factor), y);
        }
        s.store_part(s.mul(last_exp, factor), tail);
    }
}

/// dx of softmax, y·(dy − Σ y·dy), or of its logarithm, dy − e^y·Σ dy.
struct SoftmaxBackward<'a, const LOG: bool> {
    n: usize,
    y: &'a [f32],
    dy: &'a [f32],
    dx: &'a mut [f32],
}

impl<const LOG: bool> Kernel for SoftmaxBackward<'_, LOG> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let SoftmaxBackward { n, y, dy, dx } = self;
        let rows = y.chunks_exact(n).zip(dy.chunks_exact(n)).zip(dx.chunks_exact_mut(n));
        for ((y, dy), dx) in rows {
            let (y, y_tail) = y.as_chunks::<LANES>();
            let (dy, dy_tail) = dy.as_chunks::<LANES>();
            let (dx, dx_tail) = dx.as_chunks_mut::<LANES>();
            let (y_last, dy_last) = (s.load_part(y_tail), s.load_part(dy_tail));
            let mut sum = LongSum::new(if LOG { dy_last } else { s.mul(y_last, dy_last) });
            for (y, dy) in y.iter().zip(dy) {
                let dy = s.load(dy);
                if LOG { sum.add(s, dy) } else { sum.fma(s, s.load(y), dy) }
            }
            let sum = s.splat(sum.total(s));
            for ((y, dy), dx) in y.iter().zip(dy).zip(dx) {
                s.store(backward_one::<S, LOG>(s, s.load(y), s.load(dy), sum), dx);
            }
            if !dx_tail.is_empty() {
                s.store_part(backward_one::<S, LOG>(s, y_last, dy_last, sum), dx_tail);
            }
        }
    }
}

#[inline(always)]
fn backward_one<S: Simd, const LOG: bool>(s: S, y: S::F, dy: S::F, sum: S::F) -> S::F {
    if LOG { s.sub(dy, s.mul(math::exp(s, y), sum)) } else { s.mul(y, s.sub(dy, sum)) }
}

/// The largest number of each row, or the sum.
struct ReduceRows<'a, const MAX: bool>(usize, &'a [f32], &'a mut [f32]);

impl<const MAX: bool> Kernel for ReduceRows<'_, MAX> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (x, y) in self.1.chunks_exact(self.0).zip(self.2) {
            let (full, tail) = x.as_chunks::<LANES>();
            *y = if MAX {
                largest(s, full, load_tail(s, tail))
            } else {
                let mut sum = LongSum::new(s.load_part(tail));
                for x in full {
                    sum.add(s, s.load(x));
                }
                sum.total(s)
            };
        }
    }
}

/// Panics unless the slices have one length, a multiple of `n`.
#[track_caller]
#[inline(always)]
fn check_rows(n: usize, len: usize, other: usize) {
    assert!(n > 0, "expected rows of at least 1 number, found 0");
    assert!(len.is_multiple_of(n), "expected whole rows of {n} numbers, found {len} numbers");
    assert_eq!(len, other, "expected slices of one length");
}

/// y = e^x / Σ e^x along each row of [rows, n]; a row with NaN or +∞, or of nothing but −∞, becomes NaN.
///
/// # Panics
/// Where `n == 0`, `x.len() % n != 0` or `x.len() != y.len()`.
pub fn softmax(isa: Isa, n: usize, x: &[f32], y: &mut [f32]) {
    check_rows(n, x.len(), y.len());
    if cfg!(feature = "small") {
        y.copy_from_slice(x);
        return softmax_in_place(isa, n, y);
    }
    isa.run(SoftmaxRows::<false, false> { n, x, y });
}

/// [`softmax`] of y, in its place.
///
/// # Panics
/// Where `n == 0` or `y.len() % n != 0`.
pub fn softmax_in_place(isa: Isa, n: usize, y: &mut [f32]) {
    check_rows(n, y.len(), y.len());
    isa.run(SoftmaxRows::<false, true> { n, x: &[], y });
}

/// y = x − ln Σ e^x along each row of [rows, n]; a row with NaN or +∞, or of nothing but −∞, becomes NaN.
///
/// # Panics
/// Where `n == 0`, `x.len() % n != 0` or `x.len() != y.len()`.
pub fn log_softmax(isa: Isa, n: usize, x: &[f32], y: &mut [f32]) {
    check_rows(n, x.len(), y.len());
    if cfg!(feature = "small") {
        y.copy_from_slice(x);
        return log_softmax_in_place(isa, n, y);
    }
    isa.run(SoftmaxRows::<true, false> { n, x, y });
}

/// [`log_softmax`] of y, in its place.
///
/// # Panics
/// Where `n == 0` or `y.len() % n != 0`.
pub fn log_softmax_in_place(isa: Isa, n: usize, y: &mut [f32]) {
    check_rows(n, y.len(), y.len());
    isa.run(SoftmaxRows::<true, true> { n, x: &[], y });
}

/// The gradient of [`softmax`] from its output: dx = y·(dy − Σ y·dy) along each row of [rows, n].
///
/// # Panics
/// Where `n == 0`, `y.len() % n != 0`, `y.len() != dy.len()` or `y.len() != dx.len()`.
pub fn softmax_backward(isa: Isa, n: usize, y: &[f32], dy: &[f32], dx: &mut [f32]) {
    check_rows(n, y.len(), dy.len());
    check_rows(n, y.len(), dx.len());
    isa.run(SoftmaxBackward::<false> { n, y, dy, dx });
}

/// The gradient of [`log_softmax`] from its output: dx = dy − e^y·Σ dy along each row of [rows, n].
///
/// # Panics
/// Where `n == 0`, `y.len() % n != 0`, `y.len() != dy.len()` or `y.len() != dx.len()`.
pub fn log_softmax_backward(isa: Isa, n: usize, y: &[f32], dy: &[f32], dx: &mut [f32]) {
    check_rows(n, y.len(), dy.len());
    check_rows(n, y.len(), dx.len());
    isa.run(SoftmaxBackward::<true> { n, y, dy, dx });
}

/// `y[row]` = the largest number of each row of x, [rows, n]; of a row with NaN, any number.
///
/// # Panics
/// Where `n == 0` or `x.len() != n * y.len()`.
pub fn row_max(isa: Isa, n: usize, x: &[f32], y: &mut [f32]) {
    check_rows(n, x.len(), n * y.len());
    isa.run(ReduceRows::<true>(n, x, y));
}

/// `y[row]` = the sum of each row of x, [rows, n].
///
/// # Panics
/// Where `n == 0` or `x.len() != n * y.len()`.
pub fn row_sum(isa: Isa, n: usize, x: &[f32], y: &mut [f32]) {
    check_rows(n, x.len(), n * y.len());
    isa.run(ReduceRows::<false>(n, x, y));
}

/// The index of the largest number of a row, the first of equals. NaN is skipped; of nothing but NaN it is 0.
///
/// ```
/// # use nn_kernels::softmax::argmax;
/// assert_eq!(argmax(&[0.1, 0.7, 0.2, 0.7]), 1);
/// ```
///
/// # Panics
/// Where `row.is_empty()`.
pub fn argmax(row: &[f32]) -> usize {
    assert!(!row.is_empty(), "expected a row of at least 1 number, found 0");
    let mut best = (0, f32::NAN);
    for (i, &x) in row.iter().enumerate() {
        if x > best.1 || (best.1.is_nan() && !x.is_nan()) {
            best = (i, x);
        }
    }
    best.0
}
