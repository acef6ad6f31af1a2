//! Images with their channels side by side (NHWC) and a border, and filters packed likewise, so that what a
//! filter sees of a row is one run. Images with channels first and weights in panels come in; copies go out,
//! and the way back. Only some of the channels may be asked for.

use core::ops::Range;

use super::super::Conv;
use super::forward::TransposeCall;
use super::sparse_grads::PlaceScale;
use crate::matrix::Panels;
use crate::simd::{LANES, Simd};
use crate::sizes::{product, round_up, sum};
use crate::transpose::Transpose;

/// A copy `[height, width, channels]` with its border, and filters `[rows, ⌈columns · channels⌉]`.
#[derive(Clone, Copy)]
pub(super) struct NhwcCopy {
    c: Conv,
    first: usize,
    channels: usize,
}

impl NhwcCopy {
    /// Of the channels from `first` up to `end`.
    pub(super) const fn of(c: &Conv, first: usize, end: usize) -> NhwcCopy {
        NhwcCopy { c: *c, first, channels: end - first }
    }

    /// From one row of the copy to the next.
    const fn line(&self) -> usize {
        product([sum([self.c.width, self.c.pad[2], self.c.pad[3]]), self.channels])
    }

    /// Numbers of memory: the image, and a vector more, so that one can be loaded at the last number.
    pub(super) const fn len(&self) -> usize {
        let image = product([sum([self.c.height, self.c.pad[0], self.c.pad[1]]), self.line()]);
        round_up(sum([image, LANES]), LANES)
    }

    /// How positions become places of the copy. From every place below `end`, the `kernel[0]` rows of
    /// `row_len` numbers that a filter sees, whole vectors each, end within [`len`](NhwcCopy::len).
    pub(super) const fn places(&self) -> PlaceScale {
        let rows = product([self.c.kernel[0] - 1, self.row_step()]);
        PlaceScale { pixel: self.channels, end: (self.len() - self.row_len()).saturating_sub(rows) + 1 }
    }

    /// From one row of what a filter sees to the next.
    pub(super) const fn row_step(&self) -> usize {
        product([self.c.dilation[0], self.line()])
    }

    /// Numbers that a filter sees of a row.
    pub(super) const fn run(&self) -> usize {
        self.c.kernel[1] * self.channels
    }

    /// From one row of a packed filter to the next: whole vectors.
    pub(super) const fn row_len(&self) -> usize {
        round_up(self.run(), LANES)
    }

    /// Numbers of a packed filter.
    pub(super) const fn filter_len(&self) -> usize {
        product([self.c.kernel[0], self.row_len()])
    }

    /// How packed filters lie.
    pub(super) const fn layout(&self) -> FilterLayout {
        FilterLayout { filter: self.filter_len(), row: self.row_len() }
    }

    /// How many runs of the copy within the border are contiguous in the image too, and how long they are:
    /// rows, or all of them as one.
    const fn runs_of_image(&self) -> [usize; 2] {
        let [_, _, left, right] = self.c.pad;
        if left + right == 0 { [1, self.c.height * self.c.width] } else { [self.c.height, self.c.width] }
    }

    /// Where run `n` begins in the copy.
    const fn run_start(&self, n: usize) -> usize {
        (self.c.pad[0] + n) * self.line() + self.c.pad[2] * self.channels
    }

    /// Copies an image to inside the border.
    #[inline(always)]
    pub(super) fn fill<S: Simd>(self, s: S, x: &[f32], to: &mut [f32]) {
        let ([runs, length], channels) = (self.runs_of_image(), self.channels);
        let plane = self.c.height * self.c.width;
        for n in 0..runs {
            let to = &mut to[self.run_start(n)..][..length * channels];
            let x = &x[self.first * plane + n * length..];
            if channels == 1 {
                to.copy_from_slice(&x[..length]);
                continue;
            }
            for channel in (0..channels).step_by(LANES) {
                let rows = (channels - channel).min(LANES);
                for first in (0..length).step_by(LANES) {
                    let columns = (length - first).min(LANES);
                    let shape = Transpose { rows, columns, from_stride: plane, to_stride: channels, width: rows };
                    let (from, to) = (&x[channel * plane + first..], &mut to[first * channels + channel..]);
                    s.call(TransposeCall { shape, from, to });
                }
            }
        }
    }

    /// The reverse of [`fill`](NhwcCopy::fill).
    #[inline(always)]
    pub(super) fn extract<S: Simd>(self, s: S, from: &[f32], x: &mut [f32]) {
        let ([runs, length], channels) = (self.runs_of_image(), self.channels);
        let plane = self.c.height * self.c.width;
        for n in 0..runs {
            let from = &from[self.run_start(n)..][..length * channels];
            let x = &mut x[self.first * plane + n * length..];
            if channels == 1 {
                x[..length].copy_from_slice(from);
                continue;
            }
            for channel in (0..channels).step_by(LANES) {
                let columns = (channels - channel).min(LANES);
                for first in (0..length).step_by(LANES) {
                    let rows = (length - first).min(LANES);
                    let shape = Transpose { rows, columns, from_stride: channels, to_stride: plane, width: rows };
                    let (from, to) = (&from[first * channels + channel..], &mut x[channel * plane + first..]);
                    s.call(TransposeCall { shape, from, to });
                }
            }
        }
    }

    /// Packs `filters` with their channels side by side, from the part `range` of the panels; what is not in
    /// it, and what fills up vectors, is left as it is.
    #[inline(always)]
    pub(super) fn pack<S: Simd>(
        self,
        s: S,
        w: &[f32],
        range: &Range<usize>,
        filters: Range<usize>,
        layout: FilterLayout,
        to: &mut [f32],
    ) {
        for block in self.blocks(filters, range) {
            let WeightBlock { channels: rows, filters: columns, panel_stride, .. } = block;
            let shape = Transpose { rows, columns, from_stride: panel_stride, to_stride: layout.filter, width: rows };
            let (from, to) = (&w[block.at - range.start..], &mut to[layout.offset(&block)..]);
            s.call(TransposeCall { shape, from, to });
        }
    }

    /// The reverse of [`pack`](NhwcCopy::pack); the padding of the panels is left as it is.
    #[inline(always)]
    pub(super) fn unpack<S: Simd>(
        self,
        s: S,
        from: &[f32],
        layout: FilterLayout,
        filters: Range<usize>,
        range: &Range<usize>,
        w: &mut [f32],
    ) {
        for block in self.blocks(filters, range) {
            let WeightBlock { channels: columns, filters: rows, panel_stride, .. } = block;
            let shape = Transpose { rows, columns, from_stride: layout.filter, to_stride: panel_stride, width: rows };
            let (from, to) = (&from[layout.offset(&block)..], &mut w[block.at - range.start..]);
            s.call(TransposeCall { shape, from, to });
        }
    }

    /// At most sixteen channels by sixteen of these filters, which begin with a vector of the panels, at each
    /// tap of the kernel, as far as they lie in the part `range` of the panels.
    fn blocks(self, filters: Range<usize>, range: &Range<usize>) -> impl Iterator<Item = WeightBlock> {
        let ([rows, columns], channels) = (self.c.kernel, self.channels);
        let (panels, size, range) = (self.c.panels(), rows * columns, range.clone());
        let taps = (0..size).flat_map(move |k| (0..channels).step_by(LANES).map(move |channel| (k, channel)));
        let begin = filters.start;
        let blocks = filters.clone().step_by(LANES).flat_map(move |filter| taps.clone().map(move |at| (filter, at)));
        blocks.filter_map(move |(filter, (k, channel))| {
            let panel_stride = size * panels.width(filter / Panels::WIDTH);
            let at = panels.index((self.first + channel) * size + k, filter);
            // A cut is no nearer to the first of sixteen filters than to the others.
            let before = range.start.saturating_sub(at).div_ceil(panel_stride);
            let end = range.end.saturating_sub(at).div_ceil(panel_stride).min((channels - channel).min(LANES));
            (before < end).then(|| WeightBlock {
                filter: filter - begin,
                filters: (filters.end - filter).min(LANES),
                channels: end - before,
                at: at + before * panel_stride,
                panel_stride,
                row: k / columns,
                lane: k % columns * channels + channel + before,
            })
        })
    }
}

/// Some channels of some filters at one tap of the kernel.
struct WeightBlock {
    /// The first filter, counted from the first of all.
    filter: usize,
    filters: usize,
    channels: usize,
    /// Where the first channel lies in the panels, and how far from there the next.
    at: usize,
    panel_stride: usize,
    /// The row, and the place in it of the first channel, in a packed filter.
    row: usize,
    lane: usize,
}

/// How far it is from one packed filter to the next, and from one row of a filter to the next.
#[derive(Clone, Copy)]
pub(super) struct FilterLayout {
    pub filter: usize,
    pub row: usize,
}

impl FilterLayout {
    fn offset(self, block: &WeightBlock) -> usize {
        block.filter * self.filter + block.row * self.row + block.lane
    }
}
