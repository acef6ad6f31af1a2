//! The small products that attention is made of, and rows laid on their side for them.
//! Comes in: two operands by address and distance; goes out: rows of sums, or what is there with them added.
//! Never an address of its own choice: the caller vouches for each.

use core::ops::Range;

use crate::kernels::micro::{Broadcast, Depth, Job, Vectors, accumulate, strips};
use crate::kernels::simd::{LANES, Simd};

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
        let left = columns - column;
        let (b, c) = (job.b.wrapping_add(column), job.c.wrapping_add(column));
        let part = Columns::<true> { job: Sums { b, c, ..job }, lanes: left };
        let whole = Columns::<false> { job: part.job, lanes: LANES };
        // SAFETY: the caller vouches for the rows, and for the columns from this one on.
        unsafe {
            if left >= 2 * LANES && S::REGISTERS >= 32 {
                strips(s, whole, 0..rows, 2);
                column += 2 * LANES;
            } else if left >= LANES {
                strips(s, whole, 0..rows, 1);
                column += LANES;
            } else {
                strips(s, part, 0..rows, 1);
                column = columns;
            }
        }
    }
}

/// Some vectors of columns; where `PART`, there is one, and it ends after `lanes`.
#[derive(Clone, Copy)]
struct Columns<const PART: bool> {
    job: Sums,
    lanes: usize,
}

impl<const PART: bool> Job for Columns<PART> {
    const WIDEST: usize = if PART { 1 } else { 2 };
    const TALLEST: usize = 12;

    #[inline(always)]
    unsafe fn strip<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>) {
        let Sums { a, row: a_row, step, b, b_step, c, c_row, depth, add } = self.job;
        let vectors = Vectors { at: b, step: b_step, pair: 0, lanes: self.lanes };
        for row in rows.step_by(R) {
            let a = Broadcast { at: a.wrapping_add(row * a_row), row: a_row, step, run: 0 };
            let at = |r: usize, v: usize| c.wrapping_add((row + r) * c_row + v * LANES);
            let mut tile = [[s.splat(0.0); V]; R];
            if add {
                for (r, tile) in tile.iter_mut().enumerate() {
                    for (v, sum) in tile.iter_mut().enumerate() {
                        // SAFETY: the caller of `sums` vouches for these rows of `c`, with sixteen lanes or what there are.
                        *sum = unsafe {
                            match PART {
                                true => s.load_part(core::slice::from_raw_parts(at(r, v), self.lanes)),
                                false => s.load_ptr(at(r, v)),
                            }
                        };
                    }
                }
            }
            // SAFETY: the caller of `sums` vouches for these rows of `a`, and for `b`.
            let tile = unsafe { accumulate::<S, R, V, PART>(s, tile, a, vectors, Depth::once(depth)) };
            for (r, tile) in tile.into_iter().enumerate() {
                for (v, sum) in tile.into_iter().enumerate() {
                    // SAFETY: as for the loads, and nothing else borrows what is written.
                    unsafe {
                        match PART {
                            true => s.store_part(sum, core::slice::from_raw_parts_mut(at(r, v), self.lanes)),
                            false => s.store_ptr(sum, at(r, v)),
                        }
                    }
                }
            }
        }
    }
}

/// Writes `count` rows of `width` on their side: row j of `to` has number j of each, and zeros up to a multiple of sixteen.
#[inline(always)]
pub(super) fn turn<S: Simd>(s: S, from: &[f32], stride: usize, [count, width]: [usize; 2], to: &mut [f32]) {
    let wide = count.next_multiple_of(LANES);
    for first in (0..count).step_by(LANES) {
        for column in (0..width).step_by(LANES) {
            let len = LANES.min(width - column);
            let mut block = [s.splat(0.0); LANES];
            for (i, row) in block.iter_mut().enumerate().take(count - first) {
                *row = s.load_part(&from[(first + i) * stride + column..][..len]);
            }
            s.transpose(&mut block);
            for (j, row) in block.into_iter().enumerate().take(len) {
                s.store_part(row, &mut to[(column + j) * wide + first..][..LANES]);
            }
        }
    }
}
