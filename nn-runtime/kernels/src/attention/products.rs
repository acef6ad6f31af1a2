//! The small products of attention, and the transposition of rows for them. In: two operands by address and
//! stride. Out: rows of sums, written or added. Addresses are the caller's responsibility.

use core::ops::Range;

use super::BLOCK;
use crate::micro::{Broadcast, Depth, PanelVectors, accumulate};
use crate::simd::{Kernel, LANES, Simd};
use crate::transpose::{Transpose, transpose_block};

/// `c[r, j] = Σ_d a[r, d] · b[d, j]`, or `+=`: one chain of `fma` from d = 0 on, starting at 0 or at what is
/// there.
#[derive(Clone, Copy)]
pub(super) struct AttentionProduct {
    /// Element (r, d) is at `a + r·row + d·step`.
    pub a: *const f32,
    pub row: usize,
    pub step: usize,
    /// Row d is at `b + d·b_step`.
    pub b: *const f32,
    pub b_step: usize,
    /// Row r is at `c + r·c_row`.
    pub c: *mut f32,
    pub c_row: usize,
    pub depth: usize,
    pub add: bool,
}

/// Computes `rows` rows of `columns` columns.
///
/// # Safety
/// For r < `rows`, d < `depth` and j < `columns`: `a + r·row + d·step` and `b + d·b_step + j` can be read,
/// and `c + r·c_row + j` can be read and written. No number of `c` is one of `b`; one of `a` may be
/// overwritten once it has been read for the last time.
#[inline(always)]
pub(super) unsafe fn product<S: Simd>(s: S, job: AttentionProduct, rows: usize, columns: usize) {
    let mut column = 0;
    while column < columns {
        let lanes = columns - column;
        let (b, c) = (job.b.wrapping_add(column), job.c.wrapping_add(column));
        let job = AttentionProduct { b, c, ..job };
        // SAFETY: column + (2 · 16, 16 or `lanes`) <= columns, so the contract holds for these columns.
        unsafe {
            if lanes >= 2 * LANES && S::REGISTERS >= 32 {
                row_tiles::<S, 2, false>(s, job, rows, LANES);
                column += 2 * LANES;
            } else if lanes >= LANES {
                one_vector::<S, false>(s, job, rows, LANES);
                column += LANES;
            } else {
                one_vector::<S, true>(s, job, rows, lanes);
                column = columns;
            }
        }
    }
}

/// The rows of one vector of columns; from rows of a block of weights sixteen at a time, as long as there are
/// as many.
///
/// # Safety
/// As for [`row_tiles`], with one vector.
#[inline(always)]
unsafe fn one_vector<S: Simd, const PART: bool>(s: S, job: AttentionProduct, rows: usize, lanes: usize) {
    let mut done = 0;
    if const { S::REGISTERS >= 32 } && rows >= TALL && (job.row == 1 || job.row == BLOCK) {
        done = rows / TALL * TALL;
        match job.row {
            // SAFETY: done <= rows; the pattern and the condition above make `job.row` the constant.
            1 => s.call(unsafe { TallTiles::<1, PART>::new(job, done, lanes) }),
            // SAFETY: done <= rows; the condition above leaves `BLOCK` alone beside 1.
            _ => s.call(unsafe { TallTiles::<BLOCK, PART>::new(job, done, lanes) }),
        }
    }
    let (a, c) = (job.a.wrapping_add(done * job.row), job.c.wrapping_add(done * job.c_row));
    // SAFETY: rows from `done` to `rows`, which the contract covers.
    unsafe { row_tiles::<S, 1, PART>(s, AttentionProduct { a, c, ..job }, rows - done, lanes) };
}

/// Rows of a tall tile, one vector wide: their chains hide the latency of `fma` twice over.
const TALL: usize = 16;

/// Tiles of [`TALL`] rows of one vector. `ROW` is the stride of `a`, a constant so that one pointer serves
/// all rows.
struct TallTiles<const ROW: usize, const PART: bool> {
    job: AttentionProduct,
    rows: usize,
    lanes: usize,
}

impl<const ROW: usize, const PART: bool> TallTiles<ROW, PART> {
    /// # Safety
    /// As for [`product`], with `rows` a multiple of [`TALL`], `job.row == ROW` and 16 columns, or `lanes`
    /// where `PART`.
    #[inline(always)]
    unsafe fn new(job: AttentionProduct, rows: usize, lanes: usize) -> Self {
        TallTiles { job, rows, lanes }
    }
}

impl<const ROW: usize, const PART: bool> Kernel for TallTiles<ROW, PART> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let TallTiles { job: AttentionProduct { a, step, b, b_step, c, c_row, depth, add, .. }, rows, lanes } = self;
        for row in (0..rows).step_by(TALL) {
            let at = |r: usize| c.wrapping_add((row + r) * c_row);
            let mut sums = [s.splat(0.0); TALL];
            if add {
                for (r, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: row + r < rows: row `row + r` of `c`, by the contract of `new`.
                    *sum = unsafe { load::<S, PART>(s, at(r), lanes) };
                }
            }
            let (mut from, mut vector) = (a.wrapping_add(row * ROW), b);
            for _ in 0..depth {
                // SAFETY: one of `depth` rows of `b`, by the contract of `new`.
                let x = unsafe { load::<S, PART>(s, vector, lanes) };
                for (r, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: row + r < rows at this step of `a`, by the contract of `new`.
                    *sum = s.fma(s.splat(unsafe { *from.wrapping_add(r * ROW) }), x, *sum);
                }
                from = from.wrapping_add(step);
                vector = vector.wrapping_add(b_step);
            }
            for (r, sum) in sums.into_iter().enumerate() {
                // SAFETY: row + r < rows: row `row + r` of `c`, by the contract of `new`.
                unsafe { store::<S, PART>(s, sum, at(r), lanes) };
            }
        }
    }
}

/// The sixteen numbers at `from`, or where `PART` the first `lanes`.
///
/// # Safety
/// They can be read.
#[inline(always)]
pub(super) unsafe fn load<S: Simd, const PART: bool>(s: S, from: *const f32, lanes: usize) -> S::F {
    // SAFETY: sixteen or `lanes` numbers, by the contract.
    unsafe {
        match PART {
            true => s.load_part(core::slice::from_raw_parts(from, lanes)),
            false => s.load_ptr(from),
        }
    }
}

/// Writes sixteen numbers to `to`, or where `PART` the first `lanes`.
///
/// # Safety
/// They can be written, and nothing else borrows them.
#[inline(always)]
pub(super) unsafe fn store<S: Simd, const PART: bool>(s: S, x: S::F, to: *mut f32, lanes: usize) {
    // SAFETY: sixteen or `lanes` numbers, by the contract.
    unsafe {
        match PART {
            true => s.store_part(x, core::slice::from_raw_parts_mut(to, lanes)),
            false => s.store_ptr(x, to),
        }
    }
}

/// All rows, in tiles of eight, four, two or one, as registers allow.
///
/// # Safety
/// As for [`product`], with `V` vectors of columns; where `PART`, the last has `lanes`.
#[inline(always)]
unsafe fn row_tiles<S: Simd, const V: usize, const PART: bool>(s: S, job: AttentionProduct, rows: usize, lanes: usize) {
    let mut row = 0;
    macro_rules! tiles {
        ($($tall:literal from $registers:literal),*) => {$(
            let to = row + (rows - row) / $tall * $tall;
            if S::REGISTERS >= $registers && to > row {
                // SAFETY: row..to lies within the rows, and its length is a multiple of the height.
                s.call(unsafe { RowTiles::<$tall, V, PART>::new(job, row..to, lanes) });
                row = to;
            }
        )*};
    }
    tiles!(8 from 32, 4 from 8, 2 from 1, 1 from 1);
    debug_assert_eq!(row, rows);
}

/// Tiles of `R` rows, as a function of its own, so that registers are allocated for each height separately.
struct RowTiles<const R: usize, const V: usize, const PART: bool> {
    job: AttentionProduct,
    rows: Range<usize>,
    lanes: usize,
}

impl<const R: usize, const V: usize, const PART: bool> RowTiles<R, V, PART> {
    /// # Safety
    /// As for [`row_tiles`], for `rows`, whose number is a multiple of `R`.
    #[inline(always)]
    unsafe fn new(job: AttentionProduct, rows: Range<usize>, lanes: usize) -> Self {
        RowTiles { job, rows, lanes }
    }
}

impl<const R: usize, const V: usize, const PART: bool> Kernel for RowTiles<R, V, PART> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let RowTiles { job: AttentionProduct { a, row: a_row, step, b, b_step, c, c_row, depth, add }, rows, lanes } =
            self;
        let vectors = PanelVectors { at: b, step: b_step, pair: 0, lanes };
        for row in rows.step_by(R) {
            let a = Broadcast { at: a.wrapping_add(row * a_row), row: a_row, step, run: 0 };
            let at = |r: usize, v: usize| c.wrapping_add((row + r) * c_row + v * LANES);
            let mut tile = [[s.splat(0.0); V]; R];
            if add {
                for (r, tile) in tile.iter_mut().enumerate() {
                    for (v, sum) in tile.iter_mut().enumerate() {
                        // SAFETY: row `row + r` of `c` and vector v < V, by the contract of `new`.
                        *sum = unsafe { load::<S, PART>(s, at(r, v), lanes) };
                    }
                }
            }
            // SAFETY: rows `row` to `row + R` of `a` and `V` vectors of `b`, by the contract of `new`.
            let tile = unsafe { accumulate::<S, R, V, PART>(s, tile, a, vectors, Depth::once(depth)) };
            for (r, tile) in tile.into_iter().enumerate() {
                for (v, sum) in tile.into_iter().enumerate() {
                    // SAFETY: row `row + r` of `c` and vector v < V, by the contract of `new`.
                    unsafe { store::<S, PART>(s, sum, at(r, v), lanes) };
                }
            }
        }
    }
}

/// Transposes `count` rows of `width` numbers, `stride` apart: row j of `to` holds number j of each, and
/// zeros up to a multiple of sixteen.
#[inline(always)]
pub(super) fn transpose<S: Simd>(s: S, from: &[f32], stride: usize, [count, width]: [usize; 2], to: &mut [f32]) {
    let wide = count.next_multiple_of(LANES);
    let (from, to) = (&from[..(count - 1) * stride + width], &mut to[..width * wide]);
    for first in (0..count).step_by(LANES) {
        for column in (0..width).step_by(LANES) {
            let block = Transpose {
                rows: LANES.min(count - first),
                columns: LANES.min(width - column),
                from_stride: stride,
                to_stride: wide,
                width: LANES,
            };
            transpose_block(s, block, &from[first * stride + column..], &mut to[column * wide + first..]);
        }
    }
}
