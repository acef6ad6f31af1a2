//! MaxPoolGrad with the windows as lanes: for sixteen windows and some filters the sums at all places of the window stay in registers.
//! Comes in: a folded image, its table, weights in panels; goes out: maxima cut off at a floor, and where each stood.
//! Never another chain of `fma` for a sum than where filters are the lanes.

use core::ops::Range;

use super::super::padded::offset;
use super::forward::FilterBank;
use super::{CUT_OFF, PLACES};
use crate::matrix::Panels;
use crate::pool::RunningMax;
use crate::simd::{Kernel, LANES, Simd};

/// The maxima of one image.
#[derive(Clone, Copy)]
pub(super) struct WindowLanesForward<'a> {
    pub copy: *const f32,
    /// For each row of the kernels, where the upper and the lower places of a window find the number for its first weight.
    pub rows: &'a [f32],
    /// Weights of a row, and from the number for one to that for the next.
    pub columns: usize,
    pub column: usize,
    pub panels: Panels,
    pub filters: FilterBank<'a>,
    /// Where each window begins, as bits, and how far from there its places are.
    pub origins: &'a [f32],
    pub leaps: [i32; PLACES],
    /// WindowLanesForward of one filter.
    pub windows: usize,
    pub y: *mut f32,
    /// Null where nobody asks.
    pub at: *mut f32,
}

impl WindowLanesForward<'_> {
    /// Computes all of them.
    ///
    /// # Safety
    /// The copy can be read from each entry of the table for all columns and one more and all windows, a vector from the last; `w` is in
    /// the panels, `columns` rows for two entries; `origins` has whole vectors for all windows; `y`, and `at` if it is not null, can be
    /// written for all filters.
    #[inline(always)]
    pub(super) unsafe fn run<S: Simd>(self, s: S) {
        let cols = self.panels.cols();
        for start in (0..cols).step_by(Panels::WIDTH) {
            // FilterBank of one panel, whose weights lie side by side.
            let mut filters = start..cols.min(start + Panels::WIDTH);
            macro_rules! tiles {
                ($($r:literal)*) => { $(
                    let end = filters.start + filters.len() / $r * $r;
                    if const { $r * PLACES < S::REGISTERS || $r == 1 } {
                        if filters.start < end {
                            s.call(WindowLanesTile::<$r>(self, filters.start..end));
                            filters.start = end;
                        }
                    }
                )* };
            }
            tiles!(6 4 2 1);
            debug_assert!(filters.is_empty());
        }
    }
}

/// So many filters at a time, in a function of its own: the registers are shared out for each anew.
struct WindowLanesTile<'a, const R: usize>(WindowLanesForward<'a>, Range<usize>);

impl<const R: usize> Kernel for WindowLanesTile<'_, R> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let WindowLanesTile(job, filters) = self;
        let FilterBank { w, bias, floor } = job.filters;
        let (floor, none) = (s.splat(floor), s.splat(f32::from_bits(CUT_OFF)));
        let panel = filters.start / Panels::WIDTH;
        let width = job.panels.width(panel);
        for first in (0..job.windows).step_by(LANES) {
            let from = job.copy.wrapping_add(first);
            let lanes = (job.windows - first).min(LANES);
            let origin = s.bits(s.load_part(&job.origins[first..first + LANES]));
            let mut places = [origin; PLACES];
            for (place, leap) in places.iter_mut().zip(job.leaps) {
                *place = s.add_i(origin, s.splat_i(leap));
            }
            for filter in filters.clone().step_by(R) {
                let mut w = w.as_ptr().wrapping_add(job.panels.offset(panel) + filter % Panels::WIDTH);
                let mut sums = [[s.splat(0.0); PLACES]; R];
                for rows in job.rows.as_chunks::<2>().0 {
                    // What the left places see comes after what the right ones saw.
                    let mut from = rows.map(|row| from.wrapping_add(offset(row)));
                    // SAFETY: the maker vouches for what all windows see.
                    let mut left = from.map(|from| unsafe { s.load_ptr(from) });
                    for _ in 0..job.columns {
                        from = from.map(|from| from.wrapping_add(job.column));
                        // SAFETY: as for the left ones.
                        let right = from.map(|from| unsafe { s.load_ptr(from) });
                        let seen = [left[0], right[0], left[1], right[1]];
                        for (r, sums) in sums.iter_mut().enumerate() {
                            // SAFETY: each weight has its row in the panels, and the filters are in this one.
                            let weight = s.splat(unsafe { *w.wrapping_add(r) });
                            for (sum, seen) in sums.iter_mut().zip(seen) {
                                *sum = s.fma(weight, seen, *sum);
                            }
                        }
                        w = w.wrapping_add(width);
                        left = right;
                    }
                }
                for (r, sums) in sums.iter().enumerate() {
                    let bias = s.splat(bias.map_or(0.0, |bias| bias[filter + r]));
                    let mut best: RunningMax<S> = RunningMax { value: s.add(sums[0], bias), at: places[0] };
                    for p in 1..PLACES {
                        best.meet(s, s.add(sums[p], bias), places[p]);
                    }
                    let to = (filter + r) * job.windows + first;
                    // The floor first: where the other is NaN, `max` gives the second.
                    let value = s.max(floor, best.value);
                    // SAFETY: the maker vouches for the maxima of each filter.
                    s.store_part(value, unsafe { core::slice::from_raw_parts_mut(job.y.wrapping_add(to), lanes) });
                    if !job.at.is_null() {
                        let place = s.select(s.le(best.value, floor), none, s.from_bits(best.at));
                        // SAFETY: as for the maxima.
                        s.store_part(place, unsafe { core::slice::from_raw_parts_mut(job.at.wrapping_add(to), lanes) });
                    }
                }
            }
        }
    }
}
