//! The small products that attention is made of, and rows laid on their side for them.
//! Comes in: two operands by address and distance; goes out: rows of sums, or what is there with them added.
//! Never an address of its own choice: the caller vouches for each.

use core::ops::Range;

use super::BLOCK;
use crate::micro::{Broadcast, Depth, PanelVectors, accumulate};
use crate::simd::{Kernel, LANES, Simd};
use crate::transpose::{Transpose, transpose_block};

/// `c[r, j] = Σ_d a[r, d] · b[d, j]`, or that added to what is there: one chain of `fma` from d = 0 on.
#[derive(Clone, Copy)]
pub(super) struct Sums {
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

/// Computes `rows` rows of `columns`.
///
/// # Safety
/// For each of these rows and columns and each step of the depth the three operands are valid, `c` for writing too, and what is
/// written is nothing that is still to be read, but for the element itself.
#[inline(always)]
pub(super) unsafe fn sums<S: Simd>(s: S, job: Sums, rows: usize, columns: usize) {
    let mut column = 0;
    while column < columns {
        let lanes = columns - column;
        let (b, c) = (job.b.wrapping_add(column), job.c.wrapping_add(column));
        let job = Sums { b, c, ..job };
        // SAFETY: the caller vouches for the rows, and for the columns from this one on.
        unsafe {
            if lanes >= 2 * LANES && S::REGISTERS >= 32 {
                down::<S, 2, false>(s, job, rows, LANES);
                column += 2 * LANES;
            } else if lanes >= LANES {
                narrow::<S, false>(s, job, rows, LANES);
                column += LANES;
            } else {
                narrow::<S, true>(s, job, rows, lanes);
                column = columns;
            }
        }
    }
}

/// The rows of one vector of columns. Of whole blocks of weights many at a time, while there are so many.
///
/// # Safety
/// As for [`down`].
#[inline(always)]
unsafe fn narrow<S: Simd, const PART: bool>(s: S, job: Sums, rows: usize, lanes: usize) {
    let mut done = 0;
    if const { S::REGISTERS >= 32 } && rows >= MANY && (job.row == 1 || job.row == BLOCK) {
        done = rows / MANY * MANY;
        match job.row {
            1 => s.call(Many::<1, PART> { job, rows: done, lanes }),
            _ => s.call(Many::<BLOCK, PART> { job, rows: done, lanes }),
        }
    }
    let (a, c) = (job.a.wrapping_add(done * job.row), job.c.wrapping_add(done * job.c_row));
    // SAFETY: the caller vouches for all rows, of which these are the last.
    unsafe { down::<S, 1, PART>(s, Sums { a, c, ..job }, rows - done, lanes) };
}

/// Rows of a tile of one vector: their chains hide the latency of `fma` twice over.
const MANY: usize = 16;

/// Tiles of [`MANY`] rows of one vector, with `ROW` from one row of `a` to the next: known here, so that one pointer does for all.
struct Many<const ROW: usize, const PART: bool> {
    job: Sums,
    rows: usize,
    lanes: usize,
}

impl<const ROW: usize, const PART: bool> Kernel for Many<ROW, PART> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Many { job: Sums { a, step, b, b_step, c, c_row, depth, add, .. }, rows, lanes } = self;
        for row in (0..rows).step_by(MANY) {
            let at = |r: usize| c.wrapping_add((row + r) * c_row);
            let mut sums = [s.splat(0.0); MANY];
            if add {
                for (r, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: the caller of `sums` vouches for these rows of `c`, with these lanes.
                    *sum = unsafe { load::<S, PART>(s, at(r), lanes) };
                }
            }
            let (mut from, mut vector) = (a.wrapping_add(row * ROW), b);
            for _ in 0..depth {
                // SAFETY: the caller of `sums` vouches for each row of `b`, with these lanes.
                let x = unsafe { load::<S, PART>(s, vector, lanes) };
                for (r, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: … and for this element of `a`.
                    *sum = s.fma(s.splat(unsafe { *from.wrapping_add(r * ROW) }), x, *sum);
                }
                from = from.wrapping_add(step);
                vector = vector.wrapping_add(b_step);
            }
            for (r, sum) in sums.into_iter().enumerate() {
                // SAFETY: as for the loads, and nothing else borrows what is written.
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
unsafe fn load<S: Simd, const PART: bool>(s: S, from: *const f32, lanes: usize) -> S::F {
    // SAFETY: the caller vouches for so many numbers.
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
unsafe fn store<S: Simd, const PART: bool>(s: S, x: S::F, to: *mut f32, lanes: usize) {
    // SAFETY: the caller vouches for so many numbers.
    unsafe {
        match PART {
            true => s.store_part(x, core::slice::from_raw_parts_mut(to, lanes)),
            false => s.store_ptr(x, to),
        }
    }
}

/// The rows, in tiles as tall as there are registers and rows left for: eight, four, two, one.
///
/// # Safety
/// As for [`sums`], with `V` vectors of columns; where `PART`, the last has `lanes`.
#[inline(always)]
unsafe fn down<S: Simd, const V: usize, const PART: bool>(s: S, job: Sums, rows: usize, lanes: usize) {
    let mut row = 0;
    macro_rules! tiles {
        ($($tall:literal from $registers:literal),*) => {$(
            let to = row + (rows - row) / $tall * $tall;
            if S::REGISTERS >= $registers && to > row {
                s.call(Tiles::<$tall, V, PART> { job, rows: row..to, lanes });
                row = to;
            }
        )*};
    }
    tiles!(8 from 32, 4 from 8, 2 from 1, 1 from 1);
    debug_assert_eq!(row, rows);
}

/// Tiles of `TALL` rows, one below the other, as a function of its own: the registers are shared out for each anew.
struct Tiles<const TALL: usize, const V: usize, const PART: bool> {
    job: Sums,
    rows: Range<usize>,
    lanes: usize,
}

impl<const TALL: usize, const V: usize, const PART: bool> Kernel for Tiles<TALL, V, PART> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Tiles { job: Sums { a, row: a_row, step, b, b_step, c, c_row, depth, add }, rows, lanes } = self;
        let vectors = PanelVectors { at: b, step: b_step, pair: 0, lanes };
        for row in rows.step_by(TALL) {
            let a = Broadcast { at: a.wrapping_add(row * a_row), row: a_row, step, run: 0 };
            let at = |r: usize, v: usize| c.wrapping_add((row + r) * c_row + v * LANES);
            let mut tile = [[s.splat(0.0); V]; TALL];
            if add {
                for (r, tile) in tile.iter_mut().enumerate() {
                    for (v, sum) in tile.iter_mut().enumerate() {
                        // SAFETY: the caller of `sums` vouches for these rows of `c`, with sixteen lanes or what there are.
                        *sum = unsafe { load::<S, PART>(s, at(r, v), lanes) };
                    }
                }
            }
            // SAFETY: the caller of `sums` vouches for these rows of `a`, and for `b`.
            let tile = unsafe { accumulate::<S, TALL, V, PART>(s, tile, a, vectors, Depth::once(depth)) };
            for (r, tile) in tile.into_iter().enumerate() {
                for (v, sum) in tile.into_iter().enumerate() {
                    // SAFETY: as for the loads, and nothing else borrows what is written.
                    unsafe { store::<S, PART>(s, sum, at(r, v), lanes) };
                }
            }
        }
    }
}

/// Transposes `count` rows of `width` numbers, `stride` apart: row j of `to` holds number j of each, and zeros up to a multiple of sixteen.
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
