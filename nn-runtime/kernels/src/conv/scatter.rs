//! Backward to the inputs tap by tap of the kernel: each sends on what it got from the inputs it met.
//! Gradients of outputs come in as they are, weights with channels side by side; gradients of inputs go out.
//! Nothing is multiplied by a border: a tap is used for just those outputs whose input is there.

use core::ops::Range;

use super::Conv;
use super::direct::accumulate_taps;
use super::offsets::OffsetTable;
use super::padded::Strides;
use crate::micro::{TileKernel, for_each_tile};
use crate::simd::{LANES, Simd};

impl Conv {
    /// The outputs along `axis` that meet an input through tap `k` of the kernel.
    fn outputs_of_tap(&self, axis: usize, k: usize) -> Range<usize> {
        let size = if axis == 0 { self.height } else { self.width };
        let (pad, stride, reach) = (self.pad[2 * axis], self.stride[axis], k * self.dilation[axis]);
        let start = pad.saturating_sub(reach).div_ceil(stride);
        let end = (size + pad).saturating_sub(reach).div_ceil(stride).min(self.output()[axis]);
        start..end.max(start)
    }
}

/// One tap of the kernel, for some channels.
#[derive(Clone, Copy)]
pub(super) struct ScatterTap<'a> {
    pub c: Conv,
    /// Its row and column in the kernel.
    pub k: [usize; 2],
    /// From an output of the first filter to that of each.
    pub filters: OffsetTable<'a>,
    /// A row of `width` channels for each filter.
    pub w: &'a [f32],
    pub width: usize,
}

/// Adds what the tap sends to `sums`, `[height, width]` vectors of `tap.width` channels: for each input one
/// chain goes on over the filters.
#[inline(always)]
pub(super) fn scatter<S: Simd>(s: S, tap: ScatterTap, dy: &[f32], sums: &mut [f32]) {
    let ScatterTap { c, k, filters, w, width } = tap;
    let (rows, columns) = (c.outputs_of_tap(0, k[0]), c.outputs_of_tap(1, k[1]));
    if rows.is_empty() || columns.is_empty() {
        return;
    }
    let at = c.y_strides();
    let input = |axis: usize, o: usize| o * c.stride[axis] + k[axis] * c.dilation[axis] - c.pad[2 * axis];
    let first = input(0, rows.start) * c.width + input(1, columns.start);
    let last = input(0, rows.end - 1) * c.width + input(1, columns.end - 1);
    let last_output = (rows.end - 1) * at.row + (columns.end - 1) * at.col + filters.largest();
    assert!(
        w.len() == filters.offsets().len() * width && last * width + width <= sums.len() && last_output < dy.len(),
        "expected a row of weights for each filter, and all inputs and outputs"
    );
    let to = sums.as_mut_ptr();
    let job = |half: usize| ScatterTiles {
        dy: dy[rows.start * at.row + columns.start * at.col..].as_ptr(),
        filters: filters.offsets(),
        columns: columns.len(),
        steps: [at.row, at.col],
        w: w[half..].as_ptr(),
        sums: to.wrapping_add(first * width + half),
        input_steps: [c.stride[0] * c.width * width, c.stride[1] * width],
        width,
    };
    let positions = 0..rows.len() * columns.len();
    // SAFETY: the last position reads `dy` at `last_output` at most, and writes `width` sums from
    // `last·width` on; both are checked above, as are the rows of `w`. `half` and the vectors end at `width`,
    // a multiple of sixteen. `sums` is borrowed mutably, and only the job that runs writes to it.
    unsafe {
        if width > LANES && S::REGISTERS >= 32 {
            for_each_tile(s, job(0), positions, 2);
        } else {
            for half in (0..width).step_by(LANES) {
                for_each_tile(s, job(half), positions.clone(), 1);
            }
        }
    }
}

#[derive(Clone, Copy)]
struct ScatterTiles<'a> {
    dy: *const f32,
    filters: &'a [u32],
    /// Positions of a row.
    columns: usize,
    /// From one position to the next below and to the right, in `dy`.
    steps: [usize; 2],
    w: *const f32,
    sums: *mut f32,
    /// The same in `sums`.
    input_steps: [usize; 2],
    width: usize,
}

impl TileKernel for ScatterTiles<'_> {
    const WIDEST: usize = 2;
    // With so many rows and two vectors all that a step loads has a register too.
    const TALLEST: usize = 8;

    /// # Safety
    /// `rows` are positions that [`scatter`] has checked, and `V` vectors end at `width`.
    #[inline(always)]
    unsafe fn rows<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>) {
        for position in rows.step_by(R) {
            let (mut from, mut to) = ([self.dy; R], [self.sums; R]);
            let (mut y, mut x) = (position / self.columns, position % self.columns);
            for (from, to) in from.iter_mut().zip(&mut to) {
                *from = from.wrapping_add(y * self.steps[0] + x * self.steps[1]);
                *to = to.wrapping_add(y * self.input_steps[0] + x * self.input_steps[1]);
                x += 1;
                if x == self.columns {
                    (y, x) = (y + 1, 0);
                }
            }
            let mut sums = [[s.splat(0.0); V]; R];
            for (sums, to) in sums.iter_mut().zip(to) {
                for (v, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: vector v of the channels of the input that this position meets: `scatter` has
                    // checked the last input of the last position.
                    *sum = unsafe { s.load_ptr(to.wrapping_add(v * LANES)) };
                }
            }
            // SAFETY: position and filter offset add up to `last_output` at most; filter n has row n of the
            // weights.
            let sums = unsafe { accumulate_taps(s, sums, from, self.filters, self.w, 0, self.width) };
            for (sums, to) in sums.into_iter().zip(to) {
                for (v, sum) in sums.into_iter().enumerate() {
                    // SAFETY: the vectors loaded above, in memory that `scatter` has borrowed mutably.
                    unsafe { s.store_ptr(sum, to.wrapping_add(v * LANES)) };
                }
            }
        }
    }
}

/// Where sums go in the end, and how.
#[derive(Clone, Copy)]
pub(super) struct Destination<'a> {
    /// At most as many as there are sums of a place are written.
    pub channels: usize,
    /// Of these channels.
    pub bias: Option<&'a [f32]>,
    pub floor: f32,
    pub strides: Strides,
}

impl Destination<'_> {
    /// Writes `max(sums + bias, floor)`, of `sums` that are `[places, width]`, to where the network has them.
    #[inline(always)]
    pub(super) fn store<S: Simd>(self, s: S, sums: &[f32], width: usize, y: &mut [f32]) {
        let Destination { channels, bias, floor, strides } = self;
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
                if strides.plane == 1 {
                    for (n, row) in block.into_iter().enumerate().take(count) {
                        let to = (first + n) * strides.col + half;
                        s.store_part(row, &mut y[to..to + lanes]);
                    }
                    continue;
                }
                s.transpose(&mut block);
                for (channel, row) in block.into_iter().enumerate().take(lanes) {
                    let to = (half + channel) * strides.plane + first;
                    s.store_part(row, &mut y[to..to + count]);
                }
            }
        }
    }
}
