//! Backward to the weights and the bias: sums over samples and places, added to what is there.
//! Comes in: images and gradients of the outputs; goes out: gradients of a stretch of the storage.
//! Never a number of the padding changed, and never a sum in another order than samples, rows, columns.

use core::ops::Range;

use super::Conv;
use super::sheet::{Sheet, Spread, entry, offset};
use super::window::walk;
use crate::matrix::Panels;
use crate::micro::{TileKernel, for_each_tile};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// `dw[f, c, ky, kx] += Σ_(s, p) dy[s, f, p] · x[s, c, p·stride − pad + k·dilation]`, for the part `range` of the storage.
///
/// Where filters are more than a few and lie in panels by whole groups, each sum is one chain of `fma` from the first place of the first sample on, starting at what is there;
/// else each sample has sixteen chains, whose sum is added. So a batch in two calls gives the bits of one, and any
/// cut of the storage those of the whole. The padding is left as it is, `scratch` with any numbers.
///
/// # Panics
/// `x.len() != b * c.x_len() || dy.len() != b * c.y_len()` for every `b`; `dw.len() != range.len()`;
/// `range.end > c.panels().len()`; `range.start` is no multiple of [`Panels::SPLIT_ALIGN`], or `range.end` neither that nor the
/// whole length; `scratch.len() < c.scratch()`.
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
    c.check_range(&range, dw);
    c.check_scratch(scratch);
    isa.run(BackwardWeight { c, x, dy, range, dw, scratch });
}

struct BackwardWeight<'a> {
    c: Conv,
    x: &'a [f32],
    dy: &'a [f32],
    range: Range<usize>,
    dw: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Kernel for BackwardWeight<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let c = self.c;
        // For very few filters most lanes would be idle; but places side by side mostly lie across two cache lines.
        let by_columns = c.whole_panels() && (c.channels_last || c.filters > 4);
        let sheet = match by_columns {
            true if c.pad == [0; 4] => None,
            _ => Some(c.sheet(by_columns)),
        };
        let (taps, scratch) = self.scratch.split_at_mut(c.rows());
        let (places, scratch) = scratch.split_at_mut(c.pixels());
        let (copy, outputs) = scratch.split_at_mut(sheet.map_or(0, |sheet| sheet.len()));
        c.taps(sheet, taps);
        c.places(sheet, places);
        copy.fill(0.0);
        let (from, to) = (c.x_spread(), c.y_spread());
        for group in 0..c.groups {
            let filters = group * c.out_group()..(group + 1) * c.out_group();
            for (x, dy) in self.x.chunks_exact(c.x_len()).zip(self.dy.chunks_exact(c.y_len())) {
                let mut x = &x[group * c.in_group() * from.plane..];
                if let Some(sheet) = sheet {
                    sheet.fill(s, x, from, [c.height, c.width], copy);
                    x = &*copy;
                }
                let dy = &dy[filters.start * to.plane..];
                let sample = Sample { c, x, dy, taps, places, range: &self.range };
                match sheet {
                    Some(sheet) if !by_columns => sample.by_places(s, sheet, filters.clone(), self.dw, outputs),
                    _ => sample.by_columns(s, filters.clone(), self.dw, outputs),
                }
            }
        }
    }
}

impl Conv {
    /// The part of the storage that gradients are asked for.
    pub(super) fn check_range(&self, range: &Range<usize>, dw: &[f32]) {
        let len = self.panels().len();
        let cut = |at: usize| at.is_multiple_of(Panels::SPLIT_ALIGN) || at == len;
        assert!(
            range.start <= range.end && range.end <= len && cut(range.start) && cut(range.end),
            "expected a range of 0..{len} cut at multiples of {}, found {range:?}",
            Panels::SPLIT_ALIGN
        );
        assert!(dw.len() == range.len(), "expected {} numbers for {range:?}, found {}", range.len(), dw.len());
    }

    /// From the first place of the kernel to each.
    fn places(&self, sheet: Option<Sheet>, table: &mut [f32]) {
        let ([height, width], steps) = (self.output(), self.steps(sheet));
        let places = (0..height).flat_map(|y| (0..width).map(move |x| y * steps[0] + x * steps[1]));
        table.iter_mut().zip(places).for_each(|(to, at)| *to = entry(at));
    }
}

/// A group of one sample.
struct Sample<'a> {
    c: Conv,
    x: &'a [f32],
    dy: &'a [f32],
    taps: &'a [f32],
    places: &'a [f32],
    range: &'a Range<usize>,
}

impl Sample<'_> {
    /// Lanes are filters: the gradients of the outputs are turned on their side, `[panel, place, column]`.
    #[inline(always)]
    fn by_columns<S: Simd>(&self, s: S, filters: Range<usize>, dw: &mut [f32], turned: &mut [f32]) {
        let (all, places) = (self.c.panels(), self.places.len());
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
                let column = first + half - filters.start;
                turn(
                    s,
                    self.dy,
                    self.c.y_spread(),
                    column..column + (lanes - half).min(LANES),
                    places,
                    &mut turned[half..],
                    width,
                );
            }
            let mut weights = |half: usize, lanes: usize| Weights {
                x: self.x.as_ptr(),
                taps: self.taps,
                places: self.places,
                dy: turned[half..].as_ptr(),
                dw: dw.as_mut_ptr().wrapping_add(start + half).wrapping_sub(self.range.start),
                width,
                lanes,
            };
            // SAFETY: `backward_weight` has checked the lengths, the turned gradients have all places, and the rows are in the range.
            unsafe {
                if lanes > LANES && S::REGISTERS >= 32 {
                    for_each_tile(s, weights(0, lanes), rows, 2);
                } else {
                    for half in (0..lanes).step_by(LANES) {
                        for_each_tile(s, weights(half, lanes - half), rows.clone(), 1);
                    }
                }
            }
        }
    }

    /// Lanes are places side by side: for few weights a filter, and for filters that share a vector with those of another group.
    #[inline(always)]
    fn by_places<S: Simd>(&self, s: S, sheet: Sheet, filters: Range<usize>, dw: &mut [f32], outputs: &mut [f32]) {
        let (c, panels) = (self.c, self.c.panels());
        let (at, size) = (c.y_spread(), c.output());
        let mut dy = self.dy;
        if c.channels_last {
            let plain = Sheet {
                planes: c.out_group(),
                height: size[0],
                width: size[1],
                phases: 1,
                planes_last: false,
                top: 0,
                left: 0,
            };
            plain.fill(s, dy, at, size, outputs);
            dy = &*outputs;
        }
        let row_step = c.steps(Some(sheet))[0];
        for (filter, dy) in filters.zip(dy.chunks(self.places.len())) {
            let job = Taps {
                x: self.x.as_ptr(),
                taps: self.taps,
                dy,
                columns: size[1],
                row: row_step,
                panels,
                filter,
                range: self.range,
                dw: dw.as_mut_ptr(),
            };
            // SAFETY: `backward_weight` has checked the lengths, and the copy has a row of what each tap sees for each row of gradients.
            unsafe { for_each_tile(s, job, 0..panels.rows(), 1) };
        }
    }
}

/// The gradients of all weights of one filter, as far as they are in the range.
#[derive(Clone, Copy)]
struct Taps<'a> {
    x: *const f32,
    taps: &'a [f32],
    /// Rows of `columns`.
    dy: &'a [f32],
    columns: usize,
    /// From one row to the next in `x`.
    row: usize,
    panels: Panels,
    filter: usize,
    range: &'a Range<usize>,
    dw: *mut f32,
}

impl TileKernel for Taps<'_> {
    const WIDEST: usize = 1;
    const TALLEST: usize = 12;

    #[inline(always)]
    unsafe fn rows<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>) {
        for tap in rows.step_by(R) {
            let at = |r: usize| self.panels.index(tap + r, self.filter);
            if !(0..R).any(|r| self.range.contains(&at(r))) {
                continue;
            }
            let mut from = [self.x; R];
            for (from, tap) in from.iter_mut().zip(&self.taps[tap..tap + R]) {
                *from = from.wrapping_add(offset(*tap));
            }
            let mut sums = [s.splat(0.0); R];
            for (y, dy) in self.dy.chunks_exact(self.columns).enumerate() {
                let (whole, rest) = dy.as_chunks::<LANES>();
                let mut first = y * self.row;
                for dy in whole {
                    let dy = s.load(dy);
                    for (sum, from) in sums.iter_mut().zip(from) {
                        // SAFETY: the caller vouches for what each tap sees along a row of gradients.
                        *sum = s.fma(unsafe { s.load_ptr(from.wrapping_add(first)) }, dy, *sum);
                    }
                    first += LANES;
                }
                if !rest.is_empty() {
                    let lanes = rest.len();
                    let dy = s.load_part(rest);
                    for (sum, from) in sums.iter_mut().zip(from) {
                        // SAFETY: as above; lanes beyond the row could hold what is no number.
                        let x = s.load_part(unsafe { core::slice::from_raw_parts(from.wrapping_add(first), lanes) });
                        *sum = s.fma(x, dy, *sum);
                    }
                }
            }
            for (r, sum) in sums.into_iter().enumerate() {
                if self.range.contains(&at(r)) {
                    // SAFETY: the weight is in the range, which `dw` is as long as and borrowed mutably for.
                    unsafe { *self.dw.wrapping_add(at(r) - self.range.start) += s.sum(sum) };
                }
            }
        }
    }
}

/// Turns planes of gradients into rows of `width`, one for each place; of the sixteen columns those that are not there are 0.
#[inline(always)]
fn turn<S: Simd>(s: S, from: &[f32], at: Spread, planes: Range<usize>, places: usize, to: &mut [f32], width: usize) {
    if at.plane == 1 {
        for place in 0..places {
            let from = &from[place * at.col..];
            s.store_part(s.load_part(&from[planes.start..planes.end]), &mut to[place * width..place * width + LANES]);
        }
        return;
    }
    for first in (0..places).step_by(LANES) {
        let count = (places - first).min(LANES);
        let mut block = [s.splat(0.0); LANES];
        for (row, plane) in block.iter_mut().zip(planes.clone()) {
            *row = s.load_part(&from[plane * at.plane + first..plane * at.plane + first + count]);
        }
        s.transpose(&mut block);
        for (place, row) in block.into_iter().enumerate().take(count) {
            s.store_part(row, &mut to[(first + place) * width..(first + place) * width + LANES]);
        }
    }
}

/// The gradients of some rows of weights to the filters of a few vectors, `lanes` of them.
#[derive(Clone, Copy)]
struct Weights<'a> {
    x: *const f32,
    taps: &'a [f32],
    places: &'a [f32],
    dy: *const f32,
    /// Where row 0 would start.
    dw: *mut f32,
    width: usize,
    lanes: usize,
}

impl TileKernel for Weights<'_> {
    const WIDEST: usize = 2;
    const TALLEST: usize = 8;

    #[inline(always)]
    unsafe fn rows<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>) {
        for row in rows.step_by(R) {
            let mut from = [self.x; R];
            let mut sums = [[s.splat(0.0); V]; R];
            let at = |r: usize, v: usize| self.dw.wrapping_add((row + r) * self.width + v * LANES);
            for r in 0..R {
                from[r] = from[r].wrapping_add(offset(self.taps[row + r]));
                for (v, sum) in sums[r].iter_mut().enumerate() {
                    // SAFETY: these rows are in the stretch, with their padding.
                    *sum = unsafe { s.load_ptr(at(r, v)) };
                }
            }
            // SAFETY: each tap can be read at each place, and the turned gradients have a row for each.
            let sums = unsafe { walk(s, sums, from, self.places, self.dy, 0, self.width) };
            for (r, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    let lanes = (self.lanes - v * LANES).min(LANES);
                    // SAFETY: as for the loads, and the stretch is borrowed mutably.
                    s.store_part(sum, unsafe { core::slice::from_raw_parts_mut(at(r, v), lanes) });
                }
            }
        }
    }
}

/// `db[f] += Σ_(s, p) dy[s, f, p]` for the filters f in `range`.
///
/// The sum over the places of a sample is taken in sixteen lanes, or one by one where channels are last; the sums are added in the
/// order of the samples to what is there.
///
/// # Panics
/// `dy.len()` is no multiple of `c.y_len()`; `range.end > c.filters`; `db.len() != range.len()`.
pub fn backward_bias(isa: Isa, c: Conv, dy: &[f32], range: Range<usize>, db: &mut [f32]) {
    assert!(
        dy.len().is_multiple_of(c.y_len()),
        "expected samples of {} outputs, found {} numbers",
        c.y_len(),
        dy.len()
    );
    assert!(
        range.start <= range.end && range.end <= c.filters && db.len() == range.len(),
        "expected a range of 0..{} and as many numbers, found {range:?} and {}",
        c.filters,
        db.len()
    );
    if c.channels_last {
        crate::matrix::backward_bias(isa, c.filters, dy, range, db);
    } else {
        isa.run(BackwardBias { c, dy, start: range.start, db });
    }
}

struct BackwardBias<'a> {
    c: Conv,
    dy: &'a [f32],
    start: usize,
    db: &'a mut [f32],
}

impl Kernel for BackwardBias<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let places = self.c.pixels();
        for dy in self.dy.chunks_exact(self.c.y_len()) {
            for (db, dy) in self.db.iter_mut().zip(dy[self.start * places..].chunks_exact(places)) {
                let mut sums = [s.splat(0.0); 4];
                for dy in dy.chunks(4 * LANES) {
                    for (sum, dy) in sums.iter_mut().zip(dy.chunks(LANES)) {
                        *sum = s.add(*sum, s.load_part(dy));
                    }
                }
                let [a, b, c, d] = sums;
                *db += s.sum(s.add(s.add(a, b), s.add(c, d)));
            }
        }
    }
}
