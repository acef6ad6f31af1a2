//! Images with their channels side by side and a border, and filters laid out likewise, so that what a filter sees of a row is one run.
//! Comes in: images with channels first, and weights in panels; goes out: copies, and back. Only some of the channels may be asked for.

use core::ops::Range;

use super::super::Conv;
use super::TransposeBlock;
use crate::matrix::Panels;
use crate::simd::{LANES, Simd};

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

    const fn width(&self) -> usize {
        self.c.width + self.c.pad[2] + self.c.pad[3]
    }

    /// From one row to the next.
    const fn line(&self) -> usize {
        self.width() * self.channels
    }

    /// Numbers of memory, with room for a vector that starts at the last one.
    pub(super) const fn len(&self) -> usize {
        ((self.c.height + self.c.pad[0] + self.c.pad[1]) * self.line() + LANES).next_multiple_of(LANES)
    }

    /// From one place to the next.
    pub(super) const fn pixel(&self) -> usize {
        self.channels
    }

    /// Where the places end from which all that a filter sees lies in the copy, and as many numbers more as fill the last vector.
    pub(super) const fn places(&self) -> usize {
        (self.len() - self.pitch()).saturating_sub((self.c.kernel[0] - 1) * self.row()) + 1
    }

    /// From one row of what a filter sees to the next.
    pub(super) const fn row(&self) -> usize {
        self.c.dilation[0] * self.line()
    }

    /// Numbers of a row of what a filter sees.
    pub(super) const fn run(&self) -> usize {
        self.c.kernel[1] * self.channels
    }

    /// From one row of a filter to the next.
    pub(super) const fn pitch(&self) -> usize {
        self.run().next_multiple_of(LANES)
    }

    /// Numbers of a filter, whole vectors a row.
    pub(super) const fn weights(&self) -> usize {
        self.c.kernel[0] * self.pitch()
    }

    /// The stretches of the copy within the border that lie side by side, in images too: rows, or all of them as one.
    const fn stretches(&self) -> [usize; 2] {
        let [_, _, left, right] = self.c.pad;
        if left + right == 0 { [1, self.c.height * self.c.width] } else { [self.c.height, self.c.width] }
    }

    /// Where stretch `n` begins in the copy.
    const fn stretch(&self, n: usize) -> usize {
        (self.c.pad[0] + n) * self.line() + self.c.pad[2] * self.channels
    }

    /// Copies an image to inside the border.
    #[inline(always)]
    pub(super) fn fill<S: Simd>(self, s: S, x: &[f32], to: &mut [f32]) {
        let ([stretches, length], channels) = (self.stretches(), self.channels);
        let plane = self.c.height * self.c.width;
        for n in 0..stretches {
            let to = &mut to[self.stretch(n)..][..length * channels];
            let x = &x[self.first * plane + n * length..];
            if channels == 1 {
                to.copy_from_slice(&x[..length]);
                continue;
            }
            for channel in (0..channels).step_by(LANES) {
                let lanes = (channels - channel).min(LANES);
                for first in (0..length).step_by(LANES) {
                    let count = (length - first).min(LANES);
                    let from = (&x[channel * plane + first..], plane);
                    let to = (&mut to[first * channels + channel..], channels);
                    s.call(TransposeBlock { rows: lanes, count, from, to });
                }
            }
        }
    }

    /// The reverse of [`fill`](NhwcCopy::fill).
    #[inline(always)]
    pub(super) fn take<S: Simd>(self, s: S, from: &[f32], x: &mut [f32]) {
        let ([stretches, length], channels) = (self.stretches(), self.channels);
        let plane = self.c.height * self.c.width;
        for n in 0..stretches {
            let from = &from[self.stretch(n)..][..length * channels];
            let x = &mut x[self.first * plane + n * length..];
            if channels == 1 {
                x[..length].copy_from_slice(from);
                continue;
            }
            for channel in (0..channels).step_by(LANES) {
                let lanes = (channels - channel).min(LANES);
                for first in (0..length).step_by(LANES) {
                    let count = (length - first).min(LANES);
                    let from = (&from[first * channels + channel..], channels);
                    let to = (&mut x[channel * plane + first..], plane);
                    s.call(TransposeBlock { rows: count, count: lanes, from, to });
                }
            }
        }
    }

    /// Lays `filters` out with their channels side by side, from the part `range` of the panels; what is not in it, and what fills up
    /// vectors, is left as it is.
    #[inline(always)]
    pub(super) fn lay<S: Simd>(
        self,
        s: S,
        w: &[f32],
        range: &Range<usize>,
        filters: Range<usize>,
        rows: FilterLayout,
        to: &mut [f32],
    ) {
        for block in self.blocks(filters, range) {
            let (from, to) = ((&w[block.at - range.start..], block.apart), (&mut to[rows.at(&block)..], rows.filter));
            s.call(TransposeBlock { rows: block.channels, count: block.filters, from, to });
        }
    }

    /// The reverse of [`lay`](NhwcCopy::lay); the padding of the panels is left as it is.
    #[inline(always)]
    pub(super) fn unlay<S: Simd>(
        self,
        s: S,
        from: &[f32],
        rows: FilterLayout,
        filters: Range<usize>,
        range: &Range<usize>,
        w: &mut [f32],
    ) {
        for block in self.blocks(filters, range) {
            let (from, to) = ((&from[rows.at(&block)..], rows.filter), (&mut w[block.at - range.start..], block.apart));
            s.call(TransposeBlock { rows: block.filters, count: block.channels, from, to });
        }
    }

    /// At most sixteen channels by sixteen of these filters, which begin with a vector of the panels, at each place of the kernel, as far
    /// as they lie in the part `range` of the panels.
    fn blocks(self, filters: Range<usize>, range: &Range<usize>) -> impl Iterator<Item = WeightBlock> {
        let ([rows, columns], channels) = (self.c.kernel, self.channels);
        let (panels, size, range) = (self.c.panels(), rows * columns, range.clone());
        let places = (0..size).flat_map(move |k| (0..channels).step_by(LANES).map(move |channel| (k, channel)));
        let begin = filters.start;
        let blocks = filters.clone().step_by(LANES).flat_map(move |filter| places.clone().map(move |at| (filter, at)));
        blocks.filter_map(move |(filter, (k, channel))| {
            let apart = size * panels.width(filter / Panels::WIDTH);
            let at = panels.index((self.first + channel) * size + k, filter);
            // A cut is no nearer to the first of sixteen filters than to the others.
            let before = range.start.saturating_sub(at).div_ceil(apart);
            let end = range.end.saturating_sub(at).div_ceil(apart).min((channels - channel).min(LANES));
            (before < end).then(|| WeightBlock {
                filter: filter - begin,
                filters: (filters.end - filter).min(LANES),
                channels: end - before,
                at: at + before * apart,
                apart,
                row: k / columns,
                lane: k % columns * channels + channel + before,
            })
        })
    }
}

struct WeightBlock {
    /// The first filter, counted from the first of all.
    filter: usize,
    filters: usize,
    channels: usize,
    /// Where the first channel lies in the panels, and how far from there the next.
    at: usize,
    apart: usize,
    /// The same where filters are laid out.
    row: usize,
    lane: usize,
}

/// How far it is from one filter to the next, and from one row of a filter to the next.
#[derive(Clone, Copy)]
pub(super) struct FilterLayout {
    pub filter: usize,
    pub row: usize,
}

impl FilterLayout {
    fn at(self, block: &WeightBlock) -> usize {
        block.filter * self.filter + block.row * self.row + block.lane
    }
}
