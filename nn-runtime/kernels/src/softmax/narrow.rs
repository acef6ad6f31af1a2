//! Rows of at most sixteen numbers, sixteen rows at a time: transposed, a row is a SIMD lane, and no sum
//! crosses lanes. In: up to sixteen rows of n numbers. Out: vectors of columns, or rows again. Fewer than
//! sixteen rows are computed like sixteen: missing rows are zeros, and their results are dropped.

use super::{ExpSum, LANES, without_largest};
use crate::math;
use crate::simd::Simd;
use crate::transpose::{load_rows, store_rows};

/// Column j of up to sixteen rows in vector j; zeros for missing rows and columns.
#[inline(always)]
pub(super) fn load_columns<S: Simd>(s: S, n: usize, rows: &[f32]) -> [S::F; LANES] {
    let mut columns = load_rows(s, rows, n, [(rows.len() / n).min(LANES), n]);
    s.transpose(&mut columns);
    columns
}

/// Writes columns back as rows, as many as there are.
#[inline(always)]
pub(super) fn store_columns<S: Simd>(s: S, n: usize, mut columns: [S::F; LANES], rows: &mut [f32]) {
    s.transpose(&mut columns);
    store_rows(s, &columns, rows, n, [rows.len() / n, n]);
}

/// Subtracts the maximum of each row; returns the exponentials and their sums.
#[inline(always)]
pub(super) fn exponentials<S: Simd>(s: S, n: usize, x: &mut [S::F; LANES]) -> ([S::F; LANES], ExpSum<S::F>) {
    let mut most = x[0];
    for x in &x[1..n] {
        most = s.max(most, *x);
    }
    let mut exp = [s.splat(0.0); LANES];
    for (x, e) in x[..n].iter_mut().zip(&mut exp) {
        *x = s.sub(*x, most);
        *e = math::exp(s, *x);
    }
    // In the order in which the lanes of a single row are added.
    let (mut sums, mut others) = (exp, [s.splat(0.0); LANES]);
    for i in 0..n {
        others[i] = without_largest(s, x[i], exp[i]);
    }
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            sums[i] = s.add(sums[i], sums[i + half]);
            others[i] = s.add(others[i], others[i + half]);
        }
    }
    (exp, ExpSum::new(s, sums[0], others[0]))
}

/// softmax of up to sixteen rows, or its logarithm.
#[inline(always)]
pub(super) fn softmax<S: Simd, const LOG: bool>(s: S, n: usize, x: &[f32], y: &mut [f32]) {
    let mut x = load_columns(s, n, x);
    store_columns(s, n, softmax_columns::<S, LOG>(s, n, &mut x), y);
}

/// As [`softmax`], in place.
#[inline(always)]
pub(super) fn softmax_in_place<S: Simd, const LOG: bool>(s: S, n: usize, y: &mut [f32]) {
    let mut x = load_columns(s, n, y);
    store_columns(s, n, softmax_columns::<S, LOG>(s, n, &mut x), y);
}

#[inline(always)]
fn softmax_columns<S: Simd, const LOG: bool>(s: S, n: usize, x: &mut [S::F; LANES]) -> [S::F; LANES] {
    let (mut exp, sum) = exponentials(s, n, x);
    if LOG {
        let log = sum.ln(s);
        for x in &mut x[..n] {
            *x = s.sub(*x, log);
        }
        return *x;
    }
    let factor = s.div(s.splat(1.0), sum.all);
    for e in &mut exp[..n] {
        *e = s.mul(*e, factor);
    }
    exp
}
