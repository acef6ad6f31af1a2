//! Backward to the weights where filters see few channels: for sixteen windows at a time each weight of a filter adds what it saw.
//! Comes in: folded images, gradients of maxima and where these stood; goes out: gradients of the weights, filter by filter.
//! Lanes are the windows: which of its four places a window's maximum was picks, lane by lane, what the weights saw.
//! Never a sum over windows of two samples: each sample's is taken in sixteen lanes, and added to what is there.

use super::super::Conv;
use super::super::padded::{entry, offset};
use super::MaxPoolGrad;
use super::polyphase::{FillPolyphase, PolyphaseCopy};
use super::forward::two_by_two;
use crate::pool::Pool;
use crate::simd::{Kernel, LANES, Simd};

/// The gradients of the weights of filters with few channels.
#[derive(Clone, Copy)]
pub(super) struct FewChannelsWeightGrad {
    c: Conv,
    fold: PolyphaseCopy,
    /// Rows and columns of windows, and from one to the next in what is kept.
    grid: [usize; 2],
    leaps: [usize; 2],
}

impl FewChannelsWeightGrad {
    /// Those of `c`, where it is best to have windows in the lanes.
    pub(super) const fn of(c: &Conv, pool: &Pool) -> Option<FewChannelsWeightGrad> {
        let square = c.kernel[0] == c.kernel[1] && (c.kernel[0] == 3 || c.kernel[0] == 5);
        let dense = c.stride[0] == 1 && c.stride[1] == 1 && c.dilation[0] == 1;
        if !two_by_two(pool) || !square || !dense {
            return None;
        }
        let grid = pool.output();
        let windows = grid[0] * grid[1];
        // To pick what a weight saw takes two steps more; else each window takes some vectors, and most of their lanes are idle.
        let by_windows = 2 * c.channels * windows.div_ceil(LANES) * c.kernel[0] * c.kernel[1];
        let by_rows = windows * c.kernel[0] * (c.kernel[1] * c.channels).div_ceil(LANES);
        let width = c.width + c.pad[2] + c.pad[3];
        let leaps = [pool.stride[0] * width, pool.stride[1]];
        if by_windows <= by_rows { Some(FewChannelsWeightGrad { c: *c, fold: PolyphaseCopy::of(c, pool), grid, leaps }) } else { None }
    }

    const fn windows(&self) -> usize {
        self.grid[0] * self.grid[1]
    }

    /// Numbers of the weights that a filter has for one channel, in whole vectors.
    pub(super) const fn pitch(&self) -> usize {
        (self.c.kernel[0] * self.c.kernel[1]).next_multiple_of(LANES)
    }

    const fn rows(&self) -> usize {
        (2 * self.c.channels * self.c.kernel[0]).next_multiple_of(LANES)
    }

    /// Numbers of memory.
    pub(super) const fn len(&self) -> usize {
        self.rows() + self.windows().next_multiple_of(LANES) + self.fold.len() + self.fold.sheet_len()
    }

    /// Adds, sample by sample, to `sums`, `[channels, filters, pitch]`; filters are counted from `first`.
    #[inline(always)]
    pub(super) fn add<S: Simd>(self, s: S, x: &[f32], m: MaxPoolGrad, first: usize, sums: &mut [f32], memory: &mut [f32]) {
        let (c, windows) = (self.c, self.windows());
        let (rows, memory) = memory.split_at_mut(self.rows());
        let (origins, memory) = memory.split_at_mut(windows.next_multiple_of(LANES));
        let (copy, sheet) = memory.split_at_mut(self.fold.len());
        let (rows, sheet) = (&mut rows[..2 * c.channels * c.kernel[0]], &mut sheet[..self.fold.sheet_len()]);
        self.fold.rows(rows);
        for (y, row) in origins[..windows].chunks_exact_mut(self.grid[1]).enumerate() {
            for (x, origin) in row.iter_mut().enumerate() {
                *origin = entry(y * self.leaps[0] + x * self.leaps[1]);
            }
        }
        sheet.fill(0.0);
        let of_channel = sums.len() / c.channels;
        let maxima = m.dy.chunks_exact(m.pool.y_len()).zip(m.at.chunks_exact(m.pool.y_len()));
        for (x, (dy, at)) in x.chunks_exact(c.x_len()).zip(maxima) {
            s.call(FillPolyphase { fold: self.fold, x, sheet, to: copy });
            let (dy, at) = (&dy[first * windows..], &at[first * windows..]);
            let down = c.width + c.pad[2] + c.pad[3];
            let channels = sums.chunks_exact_mut(of_channel).zip(rows.chunks_exact(2 * c.kernel[0]));
            for (sums, rows) in channels {
                let job = ChannelGrad { copy, rows, plane: self.fold.plane(), windows, origins, down, dy, at, sums };
                if c.kernel[0] == 3 {
                    s.call(SquareKernelGrad::<3>(job));
                } else {
                    s.call(SquareKernelGrad::<5>(job));
                }
            }
        }
    }
}

/// What some filters saw of one channel of a sample.
struct ChannelGrad<'a> {
    copy: &'a [f32],
    /// Where the upper and the lower places of a window find the number for the first weight of each row.
    rows: &'a [f32],
    /// From the number for one weight to that for the next.
    plane: usize,
    windows: usize,
    /// Where each window begins, as maxima are kept, and from an upper place to the lower; the right ones are next to the left.
    origins: &'a [f32],
    down: usize,
    /// `[filters, windows]`
    dy: &'a [f32],
    at: &'a [f32],
    /// `[filters, ⌈weights⌉]`
    sums: &'a mut [f32],
}

/// SquareKernelGrad of `K` rows and columns, in a function of its own: the registers are shared out for each anew.
struct SquareKernelGrad<'a, const K: usize>(ChannelGrad<'a>);

impl<const K: usize> Kernel for SquareKernelGrad<'_, K> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ChannelGrad { copy, rows, plane, windows, origins, down, dy, at, sums } = self.0;
        let upper = rows.as_chunks::<2>().0;
        let last = offset(upper[K - 1][1]);
        assert!(
            upper.len() == K && copy.len() >= last + K * plane + windows.next_multiple_of(LANES),
            "expected a copy"
        );
        let (down, one, zero) = (s.splat_i(down as i32), s.splat_i(1), s.splat_i(0));
        let filters = dy.chunks_exact(windows).zip(at.chunks_exact(windows));
        for (sums, (dy, at)) in sums.chunks_exact_mut((K * K).next_multiple_of(LANES)).zip(filters) {
            let mut saw = [[s.splat(0.0); K]; K];
            for first in (0..windows).step_by(LANES) {
                let (dy, at) = (s.load_part(&dy[first..]), s.bits(s.load_part(&at[first..])));
                // FewChannelsWeightGrad that are not there have a gradient of 0. None of it is a negation, with which `select` would not be one with `fma`.
                let passes = s.and_m(s.lt_i(s.splat_i(-1), at), s.lt_i(zero, s.bits(s.abs(dy))));
                let place = s.sub_i(at, s.bits(s.load_part(&origins[first..])));
                let upper_row = s.lt_i(place, down);
                let column = s.bits(s.select(upper_row, s.from_bits(place), s.from_bits(s.sub_i(place, down))));
                let left_column = s.lt_i(column, one);
                let from = copy.as_ptr().wrapping_add(first);
                // SAFETY: the last row ends with the copy, and the others before.
                let mut above = unsafe { row(s, from.wrapping_add(offset(upper[0][0])), plane, left_column) };
                for (saw, [_, lower]) in saw.iter_mut().zip(upper) {
                    // SAFETY: as for the first row.
                    let here: [S::F; K] = unsafe { row(s, from.wrapping_add(offset(*lower)), plane, left_column) };
                    for x in 0..K {
                        let seen = s.select(upper_row, above[x], here[x]);
                        saw[x] = s.select(passes, s.fma(seen, dy, saw[x]), saw[x]);
                    }
                    above = here;
                }
            }
            let mut vectors = [[s.splat(0.0); LANES]; MOST];
            for (vectors, saw) in vectors.as_flattened_mut().as_chunks_mut().0.iter_mut().zip(saw) {
                *vectors = saw;
            }
            for (sums, vectors) in sums.as_chunks_mut::<LANES>().0.iter_mut().zip(vectors) {
                s.store(s.add(s.load(sums), sums_of(s, vectors)), sums);
            }
        }
    }
}

/// The most vectors that the weights of a filter for one channel fill.
const MOST: usize = 2;

/// What the weights of a row saw from the places of its rows of windows that were picked, left or right.
///
/// # Safety
/// A vector can be read from `from`, and `K` times `plane` behind it.
#[inline(always)]
unsafe fn row<S: Simd, const K: usize>(s: S, from: *const f32, plane: usize, is_left: S::M) -> [S::F; K] {
    let mut row = [s.splat(0.0); K];
    // SAFETY: the caller vouches for all columns.
    let mut left = unsafe { s.load_ptr(from) };
    for (x, seen) in row.iter_mut().enumerate() {
        // SAFETY: as for the first column.
        let right = unsafe { s.load_ptr(from.wrapping_add((x + 1) * plane)) };
        (*seen, left) = (s.select(is_left, left, right), right);
    }
    row
}

/// The sum of each vector, in the lanes.
#[inline(always)]
fn sums_of<S: Simd>(s: S, vectors: [S::F; LANES]) -> S::F {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = vectors;
    let (first, second) = (four(s, [a, b, c, d]), four(s, [e, f, g, h]));
    let (third, fourth) = (four(s, [i, j, k, l]), four(s, [m, n, o, p]));
    four(s, [first, second, third, fourth])
}

/// The sums of four neighbouring lanes of each vector, one vector after the other.
#[inline(always)]
fn four<S: Simd>(s: S, [a, b, c, d]: [S::F; 4]) -> S::F {
    two(s, two(s, a, b), two(s, c, d))
}

/// The same for two lanes of two.
#[inline(always)]
fn two<S: Simd>(s: S, a: S::F, b: S::F) -> S::F {
    let (even, odd) = s.unzip(a, b);
    s.add(even, odd)
}
