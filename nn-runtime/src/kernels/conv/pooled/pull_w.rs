//! Backward to the weights: every gradient of a maximum adds, times what the filter saw there, to the filter's.
//! Comes in: images, gradients of maxima and where these stood; goes out: gradients of a stretch of the storage.
//! Lanes are the channels and columns of a row of the filter, or where it is small all of the filter.
//! Never a number of the padding changed, and never a sum in another order than samples, windows.

use core::hint::black_box;
use core::ops::Range;

use super::super::Conv;
use super::super::sheet::offset;
use super::lay::{Cut, Grid, Patches, Rows};
use super::tiles::{Tiled, tiles};
use super::{Maxima, Passing};
use crate::kernels::matrix::Panels;
use crate::kernels::simd::{Isa, Kernel, LANES, Simd};

/// `dw[f, c, ky, kx] += Σ_(s, p) dy[s, f, p] · x[s, c, p·stride − pad + k·dilation]` over the places p of maxima, for the part `range`
/// of the storage.
///
/// Each sum is one chain of `fma` from the first window of the first sample on, starting at what is there; a gradient of 0 takes no
/// part. The padding is left as it is, `scratch` with any numbers.
///
/// # Panics
/// `!c.takes_pool()`; `m.pool` is not over what comes out of `c`; `x.len() != b * c.x_len() || m.dy.len() != b * m.pool.y_len()` for
/// every `b`; `m.at.len() != m.dy.len()`, or it is not from `forward`; `dw.len() != range.len()`; `range.end > c.panels().len()`;
/// `range.start` is no multiple of [`Panels::GRAIN`], or `range.end` neither that nor the whole length;
/// `scratch.len() < c.pooled_scratch(&m.pool)`.
pub fn pull_w(isa: Isa, c: Conv, x: &[f32], m: Maxima, range: Range<usize>, dw: &mut [f32], scratch: &mut [f32]) {
    m.check(&c, x.len(), scratch.len());
    c.check_range(&range, dw);
    isa.run(PullW { c, x, m, range, dw, scratch });
}

struct PullW<'a> {
    c: Conv,
    x: &'a [f32],
    m: Maxima<'a>,
    range: Range<usize>,
    dw: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Kernel for PullW<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let (c, panels) = (self.c, self.c.panels());
        if self.range.is_empty() {
            return;
        }
        if let Some(patches) = Grid::of(&c, 0, c.channels).patches() {
            // A filter is a vector or two: there is nothing to gain from a part of it.
            let filters = |at: usize| at / (Panels::WIDTH * panels.rows()) * Panels::WIDTH;
            let end = filters(self.range.end.next_multiple_of(Panels::WIDTH * panels.rows())).min(c.filters);
            self.patches(s, patches, filters(self.range.start).min(end)..end);
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
        self.rows(s, Grid::of(&c, channels.start, channels.end), filters);
    }
}

impl PullW<'_> {
    /// The gradients of some filters, a row of what they see at a time.
    #[inline(always)]
    fn rows<S: Simd>(&mut self, s: S, grid: Grid, filters: Range<usize>) {
        let (c, m, windows) = (self.c, self.m, self.m.windows());
        let (sums, scratch) = self.scratch.split_at_mut(filters.len() * grid.weights());
        let (memory, copy) = scratch.split_at_mut(Passing::room(filters.len() * windows, filters.len()));
        let copy = &mut copy[..grid.len()];
        let rows = Rows { filter: grid.weights(), row: grid.pitch() };
        copy.fill(0.0);
        grid.lay(s, self.dw, &self.range, filters.clone(), rows, sums);
        let maxima = m.dy.chunks_exact(m.pool.y_len()).zip(m.at.chunks_exact(m.pool.y_len()));
        let vectors = grid.pitch() / LANES;
        for (x, (dy, at)) in self.x.chunks_exact(c.x_len()).zip(maxima) {
            grid.fill(s, x, copy);
            let asked = filters.start * windows..filters.end * windows;
            let passing =
                Passing::of(s, &dy[asked.clone()], &at[asked], windows, [grid.pixel(), grid.places()], memory);
            let job = Seen { passing, x: copy.as_ptr(), row: grid.row(), sums: sums.as_mut_ptr(), rows };
            // SAFETY: all rows and vectors of what is seen from a place before the end lie within the copy; each filter has as many sums.
            unsafe { tiles(s, job, c.kernel[0], 0..vectors) };
        }
        grid.unlay(s, sums, rows, filters, &self.range, self.dw);
    }

    /// The gradients of some filters, all that they see at a time.
    #[inline(always)]
    fn patches<S: Simd>(&mut self, s: S, patches: Patches, filters: Range<usize>) {
        let (c, m, windows) = (self.c, self.m, self.m.windows());
        let grid = Grid::of(&c, 0, c.channels);
        let pitch = patches.pitch();
        let (sums, scratch) = self.scratch.split_at_mut(filters.len() * pitch);
        let (copy, scratch) = scratch.split_at_mut(patches.copy_len().next_multiple_of(LANES));
        let all = filters.len() * windows;
        let distance = all.next_multiple_of(LANES);
        let (entries, scratch) = scratch.split_at_mut(2 * distance);
        let (seen, index) = scratch.split_at_mut(patches.len().next_multiple_of(LANES));
        let index = &mut index[..patches.places() + 1];
        copy.fill(0.0);
        patches.index(index);
        grid.lay(s, self.dw, &self.range, filters.clone(), patches.rows(), sums);
        let maxima = m.dy.chunks_exact(m.pool.y_len()).zip(m.at.chunks_exact(m.pool.y_len()));
        for (x, (dy, at)) in self.x.chunks_exact(c.x_len()).zip(maxima) {
            grid.fill(s, x, copy);
            s.call(Cut { patches, copy, to: seen });
            let asked = filters.start * windows..filters.end * windows;
            let places = patches.places() as i32;
            s.call(Scale { dy: &dy[asked.clone()], at: &at[asked], places, to: entries.split_at_mut(distance) });
            let job = Whole {
                places: entries.as_ptr(),
                distance,
                windows,
                index: index.as_ptr(),
                seen: seen.as_ptr(),
                sums: sums.as_mut_ptr(),
                pitch,
            };
            // SAFETY: each filter has a place and a gradient for each window; every place has its run in `seen`.
            unsafe { tiles(s, job, filters.len(), 0..patches.vectors) };
        }
        grid.unlay(s, sums, patches.rows(), filters, &self.range, self.dw);
    }
}

/// For each window the place of its maximum and its gradient; of one that does not pass, the number of places and 0.
struct Scale<'a> {
    dy: &'a [f32],
    at: &'a [f32],
    places: i32,
    to: (&'a mut [f32], &'a mut [f32]),
}

impl Kernel for Scale<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (zero, places) = (s.splat_i(0), s.splat_i(self.places));
        let none = s.from_bits(places);
        let (place_to, gradient_to) = (self.to.0.as_chunks_mut::<LANES>().0, self.to.1.as_chunks_mut::<LANES>().0);
        let from = self.dy.chunks(LANES).zip(self.at.chunks(LANES));
        for ((dy, at), (place_to, gradient_to)) in from.zip(place_to.iter_mut().zip(gradient_to)) {
            let (dy, at) = (s.load_part(dy), s.load_part(at));
            let place = s.bits(at);
            // Those that are cut off come before the first place, those that no `forward` wrote perhaps behind the last.
            let outside = s.or_m(s.lt_i(place, zero), s.not_m(s.lt_i(place, places)));
            let idle = s.or_m(outside, s.eq(dy, s.splat(0.0)));
            s.store(s.select(idle, none, at), place_to);
            s.store(s.select(idle, s.splat(0.0), dy), gradient_to);
        }
    }
}

/// The gradients of some rows of all filters.
#[derive(Clone, Copy)]
struct Seen<'a> {
    passing: Passing<'a>,
    x: *const f32,
    /// From one row to the next of what is seen.
    row: usize,
    sums: *mut f32,
    rows: Rows,
}

impl Tiled for Seen<'_> {
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

/// The gradients of all that some filters see.
#[derive(Clone, Copy)]
struct Whole {
    /// The place of each window's maximum, filter by filter.
    places: *const f32,
    /// From the place of a window to its gradient.
    distance: usize,
    windows: usize,
    /// Where in `seen` what is seen begins, for each place.
    index: *const f32,
    seen: *const f32,
    sums: *mut f32,
    /// From one filter to the next of the sums.
    pitch: usize,
}

impl Tiled for Whole {
    const SHAPES: &'static [(usize, usize)] = &[(6, 2), (2, 2), (1, 2), (8, 1), (4, 1), (1, 1)];

    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const V: usize>(self, s: S, filter: usize, vector: usize) {
        let mut sums = [[s.splat(0.0); V]; R];
        let at = |r: usize, v: usize| self.sums.wrapping_add((filter + r) * self.pitch + (vector + v) * LANES);
        for (r, sums) in sums.iter_mut().enumerate() {
            for (v, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the caller vouches for the sums of these filters.
                *sum = unsafe { s.load_ptr(at(r, v)) };
            }
        }
        let mut from = [self.places; R];
        for (r, from) in from.iter_mut().enumerate() {
            *from = from.wrapping_add((filter + r) * self.windows);
        }
        // As in `micro`: the compiler must not work these out anew in every step.
        let from = black_box(from);
        let seen = self.seen.wrapping_add(vector * LANES);
        for window in 0..self.windows {
            for (sums, from) in sums.iter_mut().zip(from) {
                // SAFETY: the caller vouches for all windows of these filters, and for what is seen at their places.
                unsafe {
                    let place = offset(*from.wrapping_add(window));
                    let dy = s.splat(*from.wrapping_add(window + self.distance));
                    let seen = seen.wrapping_add(offset(*self.index.wrapping_add(place)));
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = s.fma(s.load_ptr(seen.wrapping_add(v * LANES)), dy, *sum);
                    }
                }
            }
        }
        for (r, sums) in sums.into_iter().enumerate() {
            for (v, sum) in sums.into_iter().enumerate() {
                // SAFETY: as for the loads.
                unsafe { s.store_ptr(sum, at(r, v)) };
            }
        }
    }
}
