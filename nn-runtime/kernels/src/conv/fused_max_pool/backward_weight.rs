//! Backward to the weights: every gradient of a maximum adds, times what the filter saw there, to the filter's.
//! Comes in: images, gradients of maxima and where these stood; goes out: gradients of a stretch of the storage.
//! Lanes are the channels and columns of a row of the filter, or where it is small windows.
//! Never a number of the padding changed, and never a sum in another order than samples, windows.

use core::hint::black_box;
use core::ops::Range;

use super::super::Conv;
use super::super::padded::offset;
use super::backward_weight_few_channels::FewChannelsWeightGrad;
use super::nhwc::{NhwcCopy, FilterLayout};
use super::tiles::{RowTiles, tiles};
use super::{MaxPoolGrad, SparseGrads};
use crate::matrix::Panels;
use crate::simd::{Isa, Kernel, LANES, Simd};

/// `dw[f, c, ky, kx] += Σ_(s, p) dy[s, f, p] · x[s, c, p·stride − pad + k·dilation]` over the places p of maxima, for the part `range`
/// of the storage.
///
/// Each sum is one chain of `fma` from the first window of the first sample on, starting at what is there; or, where filters see few
/// channels, the sum over the windows of a sample is taken in sixteen lanes, and added to what is there. A gradient of 0 takes no part. The padding is left as it is, `scratch` with any numbers.
///
/// # Panics
/// `!c.can_fuse_max_pool()`; `m.pool` is not over what comes out of `c`; `x.len() != b * c.x_len() || m.dy.len() != b * m.pool.y_len()` for
/// every `b`; `m.at.len() != m.dy.len()`, or it is not from `forward`; `dw.len() != range.len()`; `range.end > c.panels().len()`;
/// `range.start` is no multiple of [`Panels::GRAIN`], or `range.end` neither that nor the whole length;
/// `scratch.len() < c.fused_max_pool_scratch(&m.pool)`.
pub fn backward_weight(
    isa: Isa,
    c: Conv,
    x: &[f32],
    m: MaxPoolGrad,
    range: Range<usize>,
    dw: &mut [f32],
    scratch: &mut [f32],
) {
    m.check(&c, x.len(), scratch.len());
    c.check_range(&range, dw);
    isa.run(FusedBackwardWeight { c, x, m, range, dw, scratch });
}

struct FusedBackwardWeight<'a> {
    c: Conv,
    x: &'a [f32],
    m: MaxPoolGrad<'a>,
    range: Range<usize>,
    dw: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Kernel for FusedBackwardWeight<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let (c, panels) = (self.c, self.c.panels());
        if self.range.is_empty() {
            return;
        }
        if let Some(few) = FewChannelsWeightGrad::of(&c, &self.m.pool) {
            // A filter is a few vectors: there is nothing to gain from a part of it.
            let filters = |at: usize| at / (Panels::WIDTH * panels.rows()) * Panels::WIDTH;
            let end = filters(self.range.end.next_multiple_of(Panels::WIDTH * panels.rows())).min(c.filters);
            self.few(s, few, filters(self.range.start).min(end)..end);
            return;
        }
        // The panels of which something is asked, and the channels, which are some only where that is one panel.
        let panel = |at: usize| (at / (Panels::WIDTH * panels.rows())).min(panels.count());
        let asked = panel(self.range.start)..panel(self.range.end + Panels::WIDTH * panels.rows() - 1);
        let mut channels = 0..c.channels;
        if asked.len() == 1 {
            let (start, width) = (panels.offset(asked.start), panels.width(asked.start));
            // A panel starts at a multiple of 32, as every cut is one: so cuts fall between rows.
            let row = |at: usize| ((at - start) / width).min(panels.rows());
            let of_channel = c.kernel[0] * c.kernel[1];
            channels = row(self.range.start) / of_channel..row(self.range.end).div_ceil(of_channel);
        }
        let filters = asked.start * Panels::WIDTH..c.filters.min(asked.end * Panels::WIDTH);
        self.rows(s, NhwcCopy::of(&c, channels.start, channels.end), filters);
    }
}

impl FusedBackwardWeight<'_> {
    /// The gradients of some filters, a row of what they see at a time.
    #[inline(always)]
    fn rows<S: Simd>(&mut self, s: S, grid: NhwcCopy, filters: Range<usize>) {
        let (c, m, windows) = (self.c, self.m, self.m.windows());
        let (sums, scratch) = self.scratch.split_at_mut(filters.len() * grid.weights());
        let (memory, copy) = scratch.split_at_mut(SparseGrads::room(filters.len() * windows, filters.len()));
        let copy = &mut copy[..grid.len()];
        let rows = FilterLayout { filter: grid.weights(), row: grid.pitch() };
        copy.fill(0.0);
        grid.lay(s, self.dw, &self.range, filters.clone(), rows, sums);
        let maxima = m.dy.chunks_exact(m.pool.y_len()).zip(m.at.chunks_exact(m.pool.y_len()));
        let vectors = grid.pitch() / LANES;
        for (x, (dy, at)) in self.x.chunks_exact(c.x_len()).zip(maxima) {
            grid.fill(s, x, copy);
            let asked = filters.start * windows..filters.end * windows;
            let passing =
                SparseGrads::of(s, &dy[asked.clone()], &at[asked], windows, [grid.pixel(), grid.places()], memory);
            let job = RowGrads { passing, x: copy.as_ptr(), row: grid.row(), sums: sums.as_mut_ptr(), rows };
            // SAFETY: all rows and vectors of what is seen from a place before the end lie within the copy; each filter has as many sums.
            unsafe { tiles(s, job, c.kernel[0], 0..vectors) };
        }
        grid.unlay(s, sums, rows, filters, &self.range, self.dw);
    }

    /// The gradients of some filters, sixteen windows at a time.
    #[inline(always)]
    fn few<S: Simd>(&mut self, s: S, few: FewChannelsWeightGrad, filters: Range<usize>) {
        let c = self.c;
        let of_channel = filters.len() * few.pitch();
        let (sums, memory) = self.scratch.split_at_mut(c.channels * of_channel);
        let rows = FilterLayout { filter: few.pitch(), row: c.kernel[1] };
        for (channel, sums) in sums.chunks_exact_mut(of_channel).enumerate() {
            let grid = NhwcCopy::of(&c, channel, channel + 1);
            grid.lay(s, self.dw, &self.range, filters.clone(), rows, sums);
        }
        few.add(s, self.x, self.m, filters.start, sums, memory);
        for (channel, sums) in sums.chunks_exact(of_channel).enumerate() {
            let grid = NhwcCopy::of(&c, channel, channel + 1);
            grid.unlay(s, sums, rows, filters.clone(), &self.range, self.dw);
        }
    }
}

/// The gradients of some rows of all filters.
#[derive(Clone, Copy)]
struct RowGrads<'a> {
    passing: SparseGrads<'a>,
    x: *const f32,
    /// From one row to the next of what is seen.
    row: usize,
    sums: *mut f32,
    rows: FilterLayout,
}

impl RowTiles for RowGrads<'_> {
    // Kernels have mostly three rows or five.
    const SHAPES: &'static [(usize, usize)] = &[(3, 6), (5, 2), (3, 2), (1, 2), (3, 1), (1, 1)];

    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const V: usize>(self, s: S, row: usize, vector: usize) {
        let mut from = [self.x.wrapping_add(vector * LANES); R];
        for (r, from) in from.iter_mut().enumerate() {
            *from = from.wrapping_add((row + r) * self.row);
        }
        // As in `micro`: the compiler must not work these out anew in every step.
        let from = black_box(from);
        let mut to = self.sums.wrapping_add(row * self.rows.row + vector * LANES);
        for (places, gradients) in self.passing.filters() {
            let at = |r: usize, v: usize| to.wrapping_add(r * self.rows.row + v * LANES);
            let mut sums = [[s.splat(0.0); V]; R];
            for (r, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: the caller vouches for the sums of these rows.
                    *sum = unsafe { s.load_ptr(at(r, v)) };
                }
            }
            for (place, dy) in places.iter().zip(gradients) {
                let (place, dy) = (offset(*place), s.splat(*dy));
                for (sums, from) in sums.iter_mut().zip(from) {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        // SAFETY: the caller vouches for what is seen from each place.
                        let x = unsafe { s.load_ptr(from.wrapping_add(place + v * LANES)) };
                        *sum = s.fma(x, dy, *sum);
                    }
                }
            }
            for (r, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    // SAFETY: as for the loads.
                    unsafe { s.store_ptr(sum, at(r, v)) };
                }
            }
            to = to.wrapping_add(self.rows.filter);
        }
    }
}
