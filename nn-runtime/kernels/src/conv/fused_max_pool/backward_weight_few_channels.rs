//! Backward to the weights where filters see few channels: for sixteen windows at a time each weight of a
//! filter adds what it saw. Polyphase copies of images, gradients and positions of maxima come in; gradients
//! of the weights go out, filter by filter. Lanes are the windows: which of its four positions a window's
//! maximum was picks, lane by lane, what the weights saw. The sum over the windows of a sample is taken in
//! sixteen lanes, and added to what is there.

use super::super::offsets::{OffsetTable, indices_in, offsets_in};
use super::polyphase::{FillPolyphase, PolyphaseCopy};
use super::{ConvMaxPool, MaxPoolGrad};
use crate::compensated::{ChainedTile, SUM_CHUNK};
use crate::simd::{Kernel, LANES, Simd};
use crate::sizes::{product, round_up, sum};

/// The gradients of the weights of filters with few channels.
#[derive(Clone, Copy)]
pub(super) struct FewChannelsWeightGrad {
    fused: ConvMaxPool,
    polyphase: PolyphaseCopy,
}

impl FewChannelsWeightGrad {
    /// Those of `fused`, where it is best to have windows in the lanes: see the table in `conv.rs`.
    pub(super) const fn of(fused: &ConvMaxPool) -> Option<FewChannelsWeightGrad> {
        let c = &fused.conv;
        let square = c.kernel[0] == c.kernel[1] && (c.kernel[0] == 3 || c.kernel[0] == 5);
        let dense = c.stride[0] == 1 && c.stride[1] == 1 && c.dilation[0] == 1;
        if !fused.is_two_by_two() || !square || !dense {
            return None;
        }
        let windows = fused.windows();
        // To pick what a weight saw takes two steps more; else each window takes some vectors, of which most
        // lanes idle.
        let by_windows = product([2, c.channels, windows.div_ceil(LANES), c.kernel[0] * c.kernel[1]]);
        let by_rows = product([windows, c.kernel[0], product([c.kernel[1], c.channels]).div_ceil(LANES)]);
        let few = FewChannelsWeightGrad { fused: *fused, polyphase: PolyphaseCopy::of(fused) };
        if by_windows <= by_rows { Some(few) } else { None }
    }

    /// Numbers of the weights that a filter has for one channel, in whole vectors.
    pub(super) const fn filter_len(&self) -> usize {
        filter_len(self.fused.conv.kernel[0])
    }

    const fn row_count(&self) -> usize {
        product([2, self.fused.conv.channels, self.fused.conv.kernel[0]])
    }

    /// Numbers of memory.
    pub(super) const fn scratch(&self) -> usize {
        let (rows, origins) = (round_up(self.row_count(), LANES), round_up(self.fused.windows(), LANES));
        sum([rows, origins, self.polyphase.len(), self.polyphase.bordered_len()])
    }

    /// Adds, sample by sample, to `sums`, `[channels, filters, filter_len]`; filters are counted from
    /// `first`.
    #[inline(always)]
    pub(super) fn add<S: Simd>(
        self,
        s: S,
        x: &[f32],
        grad: MaxPoolGrad,
        first: usize,
        sums: &mut [f32],
        memory: &mut [f32],
    ) {
        let (ConvMaxPool { conv: c, pool }, windows) = (self.fused, self.fused.windows());
        let (rows, memory) = memory.split_at_mut(self.row_count().next_multiple_of(LANES));
        let (origins, memory) = memory.split_at_mut(windows.next_multiple_of(LANES));
        let (copy, bordered) = memory.split_at_mut(self.polyphase.len());
        let (rows, origins) = (&mut offsets_in(rows)[..self.row_count()], indices_in(origins));
        let bordered = &mut bordered[..self.polyphase.bordered_len()];
        self.polyphase.row_offsets(rows);
        self.fused.window_origins(&mut origins[..windows]);
        bordered.fill(0.0);
        let (of_channel, down) = (sums.len() / c.channels, self.fused.position_strides()[0]);
        let maxima = grad.dy.chunks_exact(pool.y_len()).zip(grad.argmax.chunks_exact(pool.y_len()));
        for (x, (dy, argmax)) in x.chunks_exact(c.x_len()).zip(maxima) {
            s.call(FillPolyphase { polyphase: self.polyphase, x, bordered, to: copy });
            let (dy, argmax) = (&dy[first * windows..], &argmax[first * windows..]);
            let channels = sums.chunks_exact_mut(of_channel).zip(rows.chunks_exact(2 * c.kernel[0]));
            for (sums, rows) in channels {
                let rows = OffsetTable::new(rows);
                let job =
                    ChannelGrad { copy, rows, plane: self.polyphase.plane(), windows, origins, down, dy, argmax, sums };
                if c.kernel[0] == 3 {
                    s.call(SquareKernelGrad::<3>(job));
                } else {
                    s.call(SquareKernelGrad::<5>(job));
                }
            }
        }
    }
}

/// Numbers of the `side`² weights of a filter for one channel, in whole vectors.
const fn filter_len(side: usize) -> usize {
    round_up(product([side, side]), LANES)
}

/// What some filters saw of one channel of a sample.
struct ChannelGrad<'a> {
    copy: &'a [f32],
    /// For each row of the kernel two offsets: where the upper and the lower positions of the first window
    /// find the number for its first weight.
    rows: OffsetTable<'a>,
    /// From the number for one weight to that for the next.
    plane: usize,
    windows: usize,
    /// Where each window begins, as `argmax` counts, in whole vectors.
    origins: &'a [i32],
    /// From an upper position to the lower, as `argmax` counts; the right ones are next to the left.
    down: usize,
    /// `[filters, windows]`
    dy: &'a [f32],
    argmax: &'a [f32],
    /// `[filters, filter_len]`
    sums: &'a mut [f32],
}

/// Filters of `K` rows and columns, in a function of its own: the registers are allotted for each anew.
struct SquareKernelGrad<'a, const K: usize>(ChannelGrad<'a>);

impl<const K: usize> Kernel for SquareKernelGrad<'_, K> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ChannelGrad { copy, rows, plane, windows, origins, down, dy, argmax, sums } = self.0;
        let row_pairs = rows.offsets().as_chunks::<2>().0;
        assert!(
            row_pairs.len() == K && copy.len() >= rows.largest() + K * plane + windows.next_multiple_of(LANES),
            "expected a copy that holds all columns of all windows"
        );
        let (down, one, zero) = (s.splat_i(down as i32), s.splat_i(1), s.splat_i(0));
        let filters = dy.chunks_exact(windows).zip(argmax.chunks_exact(windows));
        for (sums, (dy, argmax)) in sums.chunks_exact_mut(filter_len(K)).zip(filters) {
            let mut saw = [[s.splat(0.0); K]; K];
            let (mut terms, mut total) = (0, ChainedTile::<S, K, K>::zero(s, windows / LANES));
            for (first, origin) in (0..windows).step_by(LANES).zip(origins.as_chunks::<LANES>().0) {
                let (dy, at) = (s.load_part(&dy[first..]), s.bits(s.load_part(&argmax[first..])));
                // Lanes past the last window have a gradient of 0, so they never pass. The mask avoids NOT,
                // with which LLVM does not join `select` and `fma` to one masked instruction.
                let passes = s.and_m(s.lt_i(s.splat_i(-1), at), s.lt_i(zero, s.bits(s.abs(dy))));
                let place = s.sub_i(at, s.load_i(origin));
                let upper_row = s.lt_i(place, down);
                let column = s.bits(s.select(upper_row, s.from_bits(place), s.from_bits(s.sub_i(place, down))));
                let left_column = s.lt_i(column, one);
                let from = copy.as_ptr().wrapping_add(first);
                let upper = from.wrapping_add(row_pairs[0][0] as usize);
                // SAFETY: the last vector read is `largest row + K·plane + first`, and `first + 16` at most
                // the windows in whole vectors: it ends within the copy, as checked above.
                let mut above: [S::F; K] = unsafe { seen_of_row(s, upper, plane, left_column) };
                for (saw, [_, lower]) in saw.iter_mut().zip(row_pairs) {
                    let lower = from.wrapping_add(*lower as usize);
                    // SAFETY: the same for any entry of `rows`.
                    let here: [S::F; K] = unsafe { seen_of_row(s, lower, plane, left_column) };
                    for x in 0..K {
                        let seen = s.select(upper_row, above[x], here[x]);
                        saw[x] = s.select(passes, s.fma(seen, dy, saw[x]), saw[x]);
                    }
                    above = here;
                }
                terms += 1;
                if terms == SUM_CHUNK {
                    total.add(s, saw);
                    (saw, terms) = ([[s.splat(0.0); K]; K], 0);
                }
            }
            total.add(s, saw);
            saw = total.totals();
            let mut vectors = [[s.splat(0.0); LANES]; MOST_VECTORS];
            for (vectors, saw) in vectors.as_flattened_mut().as_chunks_mut().0.iter_mut().zip(saw) {
                *vectors = saw;
            }
            for (sums, vectors) in sums.as_chunks_mut::<LANES>().0.iter_mut().zip(vectors) {
                s.store(s.add(s.load(sums), sums_of_vectors(s, vectors)), sums);
            }
        }
    }
}

/// The most vectors that the weights of a filter for one channel fill.
const MOST_VECTORS: usize = 2;

/// What the weights of a row saw from the positions of its rows of windows that were picked, left or right.
///
/// # Safety
/// A vector can be read from `from`, and from `n·plane` behind it for n up to `K`.
#[inline(always)]
unsafe fn seen_of_row<S: Simd, const K: usize>(s: S, from: *const f32, plane: usize, is_left: S::M) -> [S::F; K] {
    let mut row = [s.splat(0.0); K];
    // SAFETY: the vector at `from`, the first of those that the contract grants.
    let mut left = unsafe { s.load_ptr(from) };
    for (x, seen) in row.iter_mut().enumerate() {
        // SAFETY: n = x + 1, at most `K`.
        let right = unsafe { s.load_ptr(from.wrapping_add((x + 1) * plane)) };
        (*seen, left) = (s.select(is_left, left, right), right);
    }
    row
}

/// The sum of each vector, in the lanes.
#[inline(always)]
fn sums_of_vectors<S: Simd>(s: S, vectors: [S::F; LANES]) -> S::F {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = vectors;
    let (first, second) = (sums_of_four(s, [a, b, c, d]), sums_of_four(s, [e, f, g, h]));
    let (third, fourth) = (sums_of_four(s, [i, j, k, l]), sums_of_four(s, [m, n, o, p]));
    sums_of_four(s, [first, second, third, fourth])
}

/// The sums of four neighbouring lanes of each vector, one vector after the other.
#[inline(always)]
fn sums_of_four<S: Simd>(s: S, [a, b, c, d]: [S::F; 4]) -> S::F {
    sums_of_two(s, sums_of_two(s, a, b), sums_of_two(s, c, d))
}

/// The sums of two neighbouring lanes of both vectors.
#[inline(always)]
fn sums_of_two<S: Simd>(s: S, a: S::F, b: S::F) -> S::F {
    let (even, odd) = s.unzip(a, b);
    s.add(even, odd)
}
