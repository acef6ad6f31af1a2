//! Sums over so many rows that one chain of `f32` would lose digits: blocks of rows are summed in `f32`, the
//! blocks in `f64`. In: how many rows, where sums go, and a function that sums some rows. Out: the sums,
//! added to what is there.

use core::ops::Range;

/// The most rows of a sample whose sum is one chain of `f32`. Workers that share a batch continue each
/// other's chains, so blocks may only be those of one sample, which is never divided.
pub const LONG: usize = 2048;

/// Rows of a block.
const BLOCK: usize = 64;

/// Sums that are computed at a time: a multiple of every alignment that a range of sums may need.
const PIECE: usize = 2048;

/// `to[i] += Σ sum(rows, i)` over all rows: up to 2,048 as one chain of `f32` that begins at what is there,
/// more of them in blocks that are added in `f64`. `sum(rows, range, to)` adds these rows to the sums of a
/// range.
///
/// The result follows from the number of rows alone, whatever part of the sums `to` is.
#[inline(always)]
pub fn add_rows(rows: usize, to: &mut [f32], mut sum: impl FnMut(Range<usize>, Range<usize>, &mut [f32])) {
    if rows <= LONG { sum(0..rows, 0..to.len(), to) } else { add_in_blocks(rows, to, sum) }
}

/// [`add_rows`] in blocks of however few rows.
#[inline(always)]
pub fn add_in_blocks(rows: usize, to: &mut [f32], mut sum: impl FnMut(Range<usize>, Range<usize>, &mut [f32])) {
    let (mut part, mut total) = ([0.0f32; PIECE], [0.0f64; PIECE]);
    for start in (0..to.len()).step_by(PIECE) {
        let of = start..to.len().min(start + PIECE);
        let (part, total) = (&mut part[..of.len()], &mut total[..of.len()]);
        total.fill(0.0);
        for first in (0..rows).step_by(BLOCK) {
            part.fill(0.0);
            sum(first..rows.min(first + BLOCK), of.clone(), part);
            total.iter_mut().zip(&*part).for_each(|(total, part)| *total += f64::from(*part));
        }
        for (to, total) in to[of].iter_mut().zip(total) {
            *to = (f64::from(*to) + *total) as f32;
        }
    }
}
