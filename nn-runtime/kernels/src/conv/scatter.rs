//! Backward to the inputs by places of the kernel: each sends on what it got from the inputs it met.
//! Comes in: gradients of outputs as they are, weights with channels side by side; goes out: gradients of inputs.
//! Nothing is multiplied by a border: a place of the kernel is used for just those outputs whose input is there.

use core::ops::Range;

use super::Conv;
use super::sheet::Spread;
use super::window::walk;
use crate::micro::{TileKernel, for_each_tile};
use crate::simd::{LANES, Simd};

impl Conv {
    /// The outputs along `axis` that meet an input through place `k` of the kernel.
    fn meets(&self, axis: usize, k: usize) -> Range<usize> {
        let size = if axis == 0 { self.height } else { self.width };
        let (pad, stride, reach) = (self.pad[2 * axis], self.stride[axis], k * self.dilation[axis]);
        let start = pad.saturating_sub(reach).div_ceil(stride);
        let end = (size + pad).saturating_sub(reach).div_ceil(stride).min(self.output()[axis]);
        start..end.max(start)
    }
}

/// Adds what place `k` of the kernel sends to `sums`, `[height, width]` vectors of `width` channels: for each input one chain goes on
/// over the filters, whose offsets are in `table`, and whose rows of weights are `w`.
#[allow(clippy::too_many_arguments, reason = "each is one side of the product")]
#[inline(always)]
pub(super) fn scatter<S: Simd>(
    s: S,
    c: Conv,
    dy: &[f32],
    table: &[f32],
    k: [usize; 2],
    w: &[f32],
    width: usize,
    sums: &mut [f32],
) {
    let (rows, columns) = (c.meets(0, k[0]), c.meets(1, k[1]));
    if rows.is_empty() || columns.is_empty() {
        return;
    }
    let at = c.y_spread();
    let input = |axis: usize, o: usize| o * c.stride[axis] + k[axis] * c.dilation[axis] - c.pad[2 * axis];
    let first = input(0, rows.start) * c.width + input(1, columns.start);
    let to = sums.as_mut_ptr();
    let job = |half: usize| Scatter {
        dy: dy[rows.start * at.row + columns.start * at.col..].as_ptr(),
        table,
        columns: columns.len(),
        steps: [at.row, at.col],
        w: w[half..].as_ptr(),
        sums: to.wrapping_add(first * width + half),
        leaps: [c.stride[0] * c.width * width, c.stride[1] * width],
        width,
    };
    let places = 0..rows.len() * columns.len();
    // SAFETY: the caller has checked the lengths; the outputs are those that `meets` names, so their inputs are there, and every
    // filter has a row of weights. `sums` is borrowed mutably, and only the job that runs writes to it.
    unsafe {
        if width > LANES && S::REGISTERS >= 32 {
            for_each_tile(s, job(0), places, 2);
        } else {
            for half in (0..width).step_by(LANES) {
                for_each_tile(s, job(half), places.clone(), 1);
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Scatter<'a> {
    dy: *const f32,
    table: &'a [f32],
    /// Places in a row.
    columns: usize,
    /// From one place to the next below and to the right, in `dy`.
    steps: [usize; 2],
    w: *const f32,
    sums: *mut f32,
    /// The same in `sums`.
    leaps: [usize; 2],
    width: usize,
}

impl TileKernel for Scatter<'_> {
    const WIDEST: usize = 2;
    // With so many rows and two vectors all that a step loads has a register too.
    const TALLEST: usize = 8;

    #[inline(always)]
    unsafe fn rows<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>) {
        for place in rows.step_by(R) {
            let (mut from, mut to) = ([self.dy; R], [self.sums; R]);
            let (mut y, mut x) = (place / self.columns, place % self.columns);
            for (from, to) in from.iter_mut().zip(&mut to) {
                *from = from.wrapping_add(y * self.steps[0] + x * self.steps[1]);
                *to = to.wrapping_add(y * self.leaps[0] + x * self.leaps[1]);
                x += 1;
                if x == self.columns {
                    (y, x) = (y + 1, 0);
                }
            }
            let mut sums = [[s.splat(0.0); V]; R];
            for (sums, to) in sums.iter_mut().zip(to) {
                for (v, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: the caller vouches for the input's channels.
                    *sum = unsafe { s.load_ptr(to.wrapping_add(v * LANES)) };
                }
            }
            // SAFETY: the caller vouches for the output's filters and their weights.
            let sums = unsafe { walk(s, sums, from, self.table, self.w, 0, self.width) };
            for (sums, to) in sums.into_iter().zip(to) {
                for (v, sum) in sums.into_iter().enumerate() {
                    // SAFETY: as for the loads.
                    unsafe { s.store_ptr(sum, to.wrapping_add(v * LANES)) };
                }
            }
        }
    }
}

/// Writes `max(sums + bias, floor)` for at most `width` of the `channels` to where the network has them.
#[allow(clippy::too_many_arguments, reason = "each is one side of the copy")]
#[inline(always)]
pub(super) fn spread<S: Simd>(
    s: S,
    sums: &[f32],
    width: usize,
    channels: usize,
    bias: Option<&[f32]>,
    floor: f32,
    y: &mut [f32],
    at: Spread,
) {
    let places = sums.len() / width;
    let floor = s.splat(floor);
    for half in (0..channels.min(width)).step_by(LANES) {
        let lanes = (channels - half).min(LANES);
        let bias = bias.map_or(s.splat(0.0), |bias| s.load_part(&bias[half..half + lanes]));
        for first in (0..places).step_by(LANES) {
            let count = (places - first).min(LANES);
            let mut block = [s.splat(0.0); LANES];
            for (n, row) in block.iter_mut().enumerate().take(count) {
                let from = (first + n) * width + half;
                // The floor first: where the other is NaN, `max` gives the second.
                *row = s.max(floor, s.add(s.load_part(&sums[from..from + LANES]), bias));
            }
            if at.plane == 1 {
                for (n, row) in block.into_iter().enumerate().take(count) {
                    let to = (first + n) * at.col + half;
                    s.store_part(row, &mut y[to..to + lanes]);
                }
                continue;
            }
            s.transpose(&mut block);
            for (channel, row) in block.into_iter().enumerate().take(lanes) {
                let to = (half + channel) * at.plane + first;
                s.store_part(row, &mut y[to..to + count]);
            }
        }
    }
}
