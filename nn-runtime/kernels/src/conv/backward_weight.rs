//! Backward to the weights: sums over samples and positions, added to what is there. Images and gradients of
//! the outputs come in; the gradients of a part of the weights' storage go out, its padding left as it is.

use core::ops::Range;

use super::Conv;
use super::direct::accumulate_taps;
use super::offsets::{OffsetTable, offsets_in};
use super::padded::{PaddedImage, Strides};
use crate::compensated::{ChainedTile, SUM_CHUNK};
use crate::matrix::Panels;
use crate::micro::{TileKernel, for_each_tile};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// `dw[f, c, ky, kx] += Σ_(s, p) dy[s, f, p] · x[s, c, p·stride − pad + k·dilation]`, for the part `range` of
/// the storage.
///
/// Each sample is summed by itself, in chains of `fma` over 64 positions; where filters are few or groups
/// fill no panels, in sixteen times as many, whose sum is added. So a batch in two calls gives the bits of
/// one, and any cut of the storage those of the whole. `scratch` is left with any numbers.
///
/// # Panics
/// `x.len() != b * c.x_len() || dy.len() != b * c.y_len()` for every `b`; `dw.len() != range.len()`;
/// `range.end > c.panels().len()`; `range.start` is no multiple of [`Panels::SPLIT_ALIGN`], or `range.end`
/// neither that nor the whole length; `scratch.len() < c.scratch()`.
pub fn backward_weight(
    isa: Isa,
    c: Conv,
    x: &[f32],
    dy: &[f32],
    range: Range<usize>,
    dw: &mut [f32],
    scratch: &mut [f32],
) {
    c.batch(x, dy);
    (c.backward().weight)(isa, c, x, dy, range, dw, scratch);
}

/// See [`Conv::backward`].
pub(super) fn backward_weight_by<const FILTER_LANES: bool>(
    isa: Isa,
    c: Conv,
    x: &[f32],
    dy: &[f32],
    range: Range<usize>,
    dw: &mut [f32],
    scratch: &mut [f32],
) {
    c.batch(x, dy);
    c.check_range(&range, dw);
    c.check_scratch(scratch);
    isa.run(ConvBackwardWeight::<FILTER_LANES> { c: c.capped(), x, dy, range, dw, scratch });
}

struct ConvBackwardWeight<'a, const FILTER_LANES: bool> {
    c: Conv,
    x: &'a [f32],
    dy: &'a [f32],
    range: Range<usize>,
    dw: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl<const FILTER_LANES: bool> Kernel for ConvBackwardWeight<'_, FILTER_LANES> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let c = self.c;
        let padded = match FILTER_LANES {
            true if c.pad == [0; 4] => None,
            _ => Some(c.padded_input(FILTER_LANES)),
        };
        let (taps, scratch) = self.scratch.split_at_mut(c.rows());
        let (positions, scratch) = scratch.split_at_mut(c.pixels());
        let (copy, outputs) = scratch.split_at_mut(padded.map_or(0, |padded| padded.len()));
        let (taps, positions) = (offsets_in(taps), offsets_in(positions));
        c.tap_offsets(padded, taps);
        c.position_offsets(padded, positions);
        let (taps, positions) = (OffsetTable::new(taps), OffsetTable::new(positions));
        copy.fill(0.0);
        let (from, to) = (c.x_strides(), c.y_strides());
        for group in 0..c.groups {
            let filters = group * c.out_group()..(group + 1) * c.out_group();
            for (x, dy) in self.x.chunks_exact(c.x_len()).zip(self.dy.chunks_exact(c.y_len())) {
                let mut x = &x[group * c.in_group() * from.plane..];
                if let Some(padded) = padded {
                    padded.fill(s, x, from, [c.height, c.width], copy);
                    x = &*copy;
                }
                let dy = &dy[filters.start * to.plane..];
                let sample = GroupSample { c, x, dy, taps, positions, range: &self.range };
                match padded {
                    Some(padded) if !FILTER_LANES => {
                        sample.position_lanes(s, padded, filters.clone(), self.dw, outputs);
                    }
                    _ if FILTER_LANES => sample.filter_lanes(s, filters.clone(), self.dw, outputs),
                    _ => unreachable!("positions lie side by side in a copy"),
                }
            }
        }
    }
}

/// A group of channels and filters of one sample.
struct GroupSample<'a> {
    c: Conv,
    x: &'a [f32],
    dy: &'a [f32],
    taps: OffsetTable<'a>,
    positions: OffsetTable<'a>,
    range: &'a Range<usize>,
}

impl GroupSample<'_> {
    /// Lanes are filters: the gradients of the outputs are transposed, `[panel, position, filter]`.
    #[inline(always)]
    fn filter_lanes<S: Simd>(&self, s: S, filters: Range<usize>, dw: &mut [f32], transposed: &mut [f32]) {
        let (all, positions) = (self.c.panels(), self.positions.offsets().len());
        assert!(
            self.taps.largest() + self.positions.largest() < self.x.len() && dw.len() == self.range.len(),
            "expected an image that holds all taps, and as many gradients as asked for"
        );
        for panel in filters.start / Panels::WIDTH..filters.end.div_ceil(Panels::WIDTH) {
            let (start, width) = (all.offset(panel), all.width(panel));
            // A panel starts at a multiple of 32, as every cut is one: so cuts fall between rows.
            let row = |at: usize| ((at.max(start) - start) / width).min(all.rows());
            let rows = row(self.range.start)..row(self.range.end);
            if rows.is_empty() {
                continue;
            }
            let first = panel * Panels::WIDTH;
            let lanes = (filters.end - first).min(width);
            for half in (0..lanes).step_by(LANES) {
                let filter = first + half - filters.start;
                let planes = filter..filter + (lanes - half).min(LANES);
                positions_first(s, self.dy, self.c.y_strides(), planes, positions, &mut transposed[half..], width);
            }
            assert!(positions * width <= transposed.len(), "expected room for the gradients of a panel");
            let mut job = |half: usize, lanes: usize| FilterLanesGrad {
                x: self.x.as_ptr(),
                taps: self.taps.offsets(),
                positions: self.positions.offsets(),
                dy: transposed[half..].as_ptr(),
                dw: dw.as_mut_ptr().wrapping_add(start + half).wrapping_sub(self.range.start),
                width,
                lanes,
            };
            // SAFETY: a tap and a position add up to less than `x.len()`, and `transposed` has `width`
            // numbers for each position, both as checked above. `rows` are those that lie in `range`: the
            // last number written is `start + rows.end·width - 1`, below `range.end`, and `dw` is as long as
            // the range.
            unsafe {
                if lanes > LANES && S::REGISTERS >= 32 {
                    for_each_tile(s, job(0, lanes), rows, 2);
                } else {
                    for half in (0..lanes).step_by(LANES) {
                        for_each_tile(s, job(half, lanes - half), rows.clone(), 1);
                    }
                }
            }
        }
    }

    /// Lanes are neighbouring positions: for few filters, and for filters that share a vector with another
    /// group.
    #[inline(always)]
    fn position_lanes<S: Simd>(
        &self,
        s: S,
        padded: PaddedImage,
        filters: Range<usize>,
        dw: &mut [f32],
        outputs: &mut [f32],
    ) {
        let (c, panels) = (self.c, self.c.panels());
        let (at, size) = (c.y_strides(), c.output());
        let mut dy = self.dy;
        if c.channels_last {
            let planes_first = PaddedImage {
                planes: c.out_group(),
                height: size[0],
                width: size[1],
                phases: 1,
                planes_last: false,
                top: 0,
                left: 0,
            };
            planes_first.fill(s, dy, at, size, outputs);
            dy = &*outputs;
        }
        let row_step = c.position_strides(Some(padded))[0];
        let last = (size[0] - 1) * row_step + size[1] - 1 + self.taps.largest();
        assert!(
            last < self.x.len() && self.taps.offsets().len() >= panels.rows() && dw.len() == self.range.len(),
            "expected an image that holds all taps, and as many gradients as asked for"
        );
        for (filter, dy) in filters.zip(dy.chunks(self.positions.offsets().len())) {
            let job = PositionLanesGrad {
                x: self.x.as_ptr(),
                taps: self.taps.offsets(),
                dy,
                columns: size[1],
                row_step,
                panels,
                filter,
                range: self.range,
                dw: dw.as_mut_ptr(),
            };
            // SAFETY: a row of positions ends at most at `last`, which the image holds as checked above; `dw`
            // is as long as the range, and only weights of the range are written.
            unsafe { for_each_tile(s, job, 0..panels.rows(), 1) };
        }
    }
}

/// The gradients of all weights of one filter, as far as they are in the range.
#[derive(Clone, Copy)]
struct PositionLanesGrad<'a> {
    x: *const f32,
    taps: &'a [u32],
    /// Rows of `columns`.
    dy: &'a [f32],
    columns: usize,
    /// From one row to the next in `x`.
    row_step: usize,
    panels: Panels,
    filter: usize,
    range: &'a Range<usize>,
    dw: *mut f32,
}

impl TileKernel for PositionLanesGrad<'_> {
    const WIDEST: usize = 1;
    const TALLEST: usize = 12;

    /// # Safety
    /// `rows` are rows of the weights; `x` and `dw` are what [`GroupSample::position_lanes`] has checked.
    #[inline(always)]
    unsafe fn rows<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>) {
        for tap in rows.step_by(R) {
            let at = |r: usize| self.panels.index(tap + r, self.filter);
            if !(0..R).any(|r| self.range.contains(&at(r))) {
                continue;
            }
            let mut from = [self.x; R];
            for (from, tap) in from.iter_mut().zip(&self.taps[tap..tap + R]) {
                *from = from.wrapping_add(*tap as usize);
            }
            let mut sums = [s.splat(0.0); R];
            let vectors = self.dy.len() / self.columns * self.columns.div_ceil(LANES);
            let (mut terms, mut total) = (0, ChainedTile::<S, R, 1>::zero(s, vectors));
            for (y, dy) in self.dy.chunks_exact(self.columns).enumerate() {
                let (whole, rest) = dy.as_chunks::<LANES>();
                let mut first = y * self.row_step;
                for whole in whole.chunks(SUM_CHUNK) {
                    for dy in whole {
                        let dy = s.load(dy);
                        for (sum, from) in sums.iter_mut().zip(from) {
                            // SAFETY: sixteen of the row's positions, with a tap: at most `last`.
                            *sum = s.fma(unsafe { s.load_ptr(from.wrapping_add(first)) }, dy, *sum);
                        }
                        first += LANES;
                    }
                    terms += whole.len();
                    if terms >= SUM_CHUNK {
                        total.add(s, columns_of(sums));
                        (sums, terms) = ([s.splat(0.0); R], 0);
                    }
                }
                if !rest.is_empty() {
                    let lanes = rest.len();
                    let dy = s.load_part(rest);
                    for (sum, from) in sums.iter_mut().zip(from) {
                        // SAFETY: the last `lanes` of the row's positions, with a tap: at most `last`. What
                        // lies beyond the row could be infinite, and is not loaded.
                        let x = s.load_part(unsafe { core::slice::from_raw_parts(from.wrapping_add(first), lanes) });
                        *sum = s.fma(x, dy, *sum);
                    }
                    terms += 1;
                    if terms >= SUM_CHUNK {
                        total.add(s, columns_of(sums));
                        (sums, terms) = ([s.splat(0.0); R], 0);
                    }
                }
            }
            total.add(s, columns_of(sums));
            for (r, [sum]) in total.totals().into_iter().enumerate() {
                if self.range.contains(&at(r)) {
                    // SAFETY: the weight is in the range, which `dw` is as long as and borrowed mutably for.
                    unsafe { *self.dw.wrapping_add(at(r) - self.range.start) += s.sum(sum) };
                }
            }
        }
    }
}

/// A tile of one vector a row.
#[inline(always)]
fn columns_of<F: Copy, const R: usize>(sums: [F; R]) -> [[F; 1]; R] {
    let mut columns = [[sums[0]]; R];
    for (column, sum) in columns.iter_mut().zip(sums) {
        *column = [sum];
    }
    columns
}

/// Copies planes of gradients to rows of `width`, one for each position; of the sixteen columns those without
/// a plane become 0.
#[inline(always)]
fn positions_first<S: Simd>(
    s: S,
    from: &[f32],
    at: Strides,
    planes: Range<usize>,
    positions: usize,
    to: &mut [f32],
    width: usize,
) {
    if at.plane == 1 {
        for position in 0..positions {
            let from = &from[position * at.col..];
            let to = &mut to[position * width..position * width + LANES];
            s.store_part(s.load_part(&from[planes.start..planes.end]), to);
        }
        return;
    }
    for first in (0..positions).step_by(LANES) {
        let count = (positions - first).min(LANES);
        let mut block = [s.splat(0.0); LANES];
        for (row, plane) in block.iter_mut().zip(planes.clone()) {
            *row = s.load_part(&from[plane * at.plane + first..plane * at.plane + first + count]);
        }
        s.transpose(&mut block);
        for (position, row) in block.into_iter().enumerate().take(count) {
            s.store_part(row, &mut to[(first + position) * width..(first + position) * width + LANES]);
        }
    }
}

/// The gradients of some rows of weights of the filters of a few vectors, `lanes` of them.
#[derive(Clone, Copy)]
struct FilterLanesGrad<'a> {
    x: *const f32,
    taps: &'a [u32],
    positions: &'a [u32],
    dy: *const f32,
    /// Where row 0 would start.
    dw: *mut f32,
    width: usize,
    lanes: usize,
}

impl TileKernel for FilterLanesGrad<'_> {
    const WIDEST: usize = 2;
    const TALLEST: usize = 8;

    /// # Safety
    /// `rows` of the weights lie in the range, and `V` vectors hold `lanes`; [`GroupSample::filter_lanes`]
    /// has checked that every tap can be read at every position, and made a row of `dy` for each.
    #[inline(always)]
    unsafe fn rows<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>) {
        for row in rows.step_by(R) {
            let mut from = [self.x; R];
            let at = |r: usize, v: usize| self.dw.wrapping_add((row + r) * self.width + v * LANES);
            for (from, tap) in from.iter_mut().zip(&self.taps[row..row + R]) {
                *from = from.wrapping_add(*tap as usize);
            }
            let (mut dy, mut total) = (self.dy, ChainedTile::<S, R, V>::zero(s, self.positions.len()));
            for positions in self.positions.chunks(SUM_CHUNK) {
                // SAFETY: a tap plus a position stays below `x.len()`, and position n has row n of the
                // gradients.
                let sums = unsafe { accumulate_taps(s, [[s.splat(0.0); V]; R], from, positions, dy, 0, self.width) };
                total.add(s, sums);
                dy = dy.wrapping_add(SUM_CHUNK * self.width);
            }
            for (r, sums) in total.totals().into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    let lanes = (self.lanes - v * LANES).min(LANES);
                    // SAFETY: vector v of a row in the range, with its padding: it ends with the row at most.
                    let sum = s.add(unsafe { s.load_ptr(at(r, v)) }, sum);
                    // SAFETY: the first lanes of the vector loaded above; `dw` is borrowed mutably.
                    s.store_part(sum, unsafe { core::slice::from_raw_parts_mut(at(r, v), lanes) });
                }
            }
        }
    }
}
