//! Maxima with windows as lanes: for sixteen windows and some filters the sums at all positions of the
//! windows stay in registers. A polyphase copy of an image, its table of rows and weights come in; maxima go
//! out, not below a floor, and where each stood. Each sum is the chain of `fma` that it is with filters as
//! lanes.

use core::marker::PhantomData;
use core::ops::Range;

use super::super::FilterBank;
use super::super::offsets::OffsetTable;
use super::{POSITIONS, REPLACED};
use crate::matrix::Panels;
use crate::pool::RunningMax;
use crate::simd::{Kernel, LANES, Simd};

/// What is the same for all images.
#[derive(Clone, Copy)]
pub(super) struct WindowLanesLayout<'a> {
    /// For each row of the kernels two offsets into the copy: where the upper and the lower positions of the
    /// first window find the number for its first weight.
    pub rows: OffsetTable<'a>,
    /// Weights of a row.
    pub columns: usize,
    /// From the number for one weight to that for the next.
    pub plane: usize,
    pub panels: Panels,
    pub filters: FilterBank<'a>,
    /// Where each window begins, as `argmax` counts, in whole vectors; and how far from there its positions
    /// are.
    pub origins: &'a [i32],
    pub offsets: [i32; POSITIONS],
    /// Windows of one filter.
    pub windows: usize,
}

/// The maxima of one image.
#[derive(Clone, Copy)]
pub(super) struct WindowLanesForward<'a> {
    layout: WindowLanesLayout<'a>,
    copy: *const f32,
    y: *mut f32,
    /// Null where nobody asks.
    argmax: *mut f32,
    borrowed: PhantomData<(&'a [f32], &'a mut [f32])>,
}

impl<'a> WindowLanesForward<'a> {
    /// Of the image that `copy` is made from, to `y` and `argmax`, `[filters, windows]` each.
    ///
    /// # Panics
    /// One of them, the weights or the origins are too short for the layout.
    #[inline(always)]
    pub(super) fn new(
        copy: &'a [f32],
        y: &'a mut [f32],
        argmax: Option<&'a mut [f32]>,
        layout: WindowLanesLayout<'a>,
    ) -> WindowLanesForward<'a> {
        let WindowLanesLayout { rows, columns, plane, panels, origins, windows, .. } = layout;
        let lanes = windows.next_multiple_of(LANES);
        assert!(
            rows.largest() + columns * plane + lanes <= copy.len() && origins.len() >= lanes,
            "expected a copy that holds all columns, and whole vectors of windows"
        );
        assert!(
            rows.offsets().len() / 2 * columns <= panels.rows() && layout.filters.w.len() >= panels.len(),
            "expected a row of the weights for each tap"
        );
        let needed = panels.cols() * windows;
        assert!(
            y.len() >= needed && argmax.as_ref().is_none_or(|argmax| argmax.len() >= needed),
            "expected room for all maxima"
        );
        let argmax = argmax.map_or(core::ptr::null_mut(), |argmax| argmax.as_mut_ptr());
        WindowLanesForward { layout, copy: copy.as_ptr(), y: y.as_mut_ptr(), argmax, borrowed: PhantomData }
    }

    /// Computes all of them.
    #[inline(always)]
    pub(super) fn run<S: Simd>(self, s: S) {
        let cols = self.layout.panels.cols();
        for start in (0..cols).step_by(Panels::WIDTH) {
            // Filters of one panel, whose weights lie side by side.
            let mut filters = start..cols.min(start + Panels::WIDTH);
            macro_rules! tiles {
                ($($r:literal)*) => { $(
                    let end = filters.start + filters.len() / $r * $r;
                    if const { $r * POSITIONS < S::REGISTERS || $r == 1 } {
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

/// `R` filters at a time, in a function of its own: the registers are allotted for each anew. The filters are
/// of one panel, a multiple of `R`: only `WindowLanesForward::run` makes one.
struct WindowLanesTile<'a, const R: usize>(WindowLanesForward<'a>, Range<usize>);

impl<const R: usize> Kernel for WindowLanesTile<'_, R> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let WindowLanesTile(forward, filters) = self;
        let layout = forward.layout;
        let FilterBank { w, bias, floor } = layout.filters;
        let (floor, none) = (s.splat(floor), s.splat(f32::from_bits(REPLACED)));
        let panel = filters.start / Panels::WIDTH;
        let width = layout.panels.width(panel);
        for (first, origin) in (0..layout.windows).step_by(LANES).zip(layout.origins.as_chunks::<LANES>().0) {
            let from = forward.copy.wrapping_add(first);
            let lanes = (layout.windows - first).min(LANES);
            let origin = s.load_i(origin);
            let mut places = [origin; POSITIONS];
            for (place, offset) in places.iter_mut().zip(layout.offsets) {
                *place = s.add_i(origin, s.splat_i(offset));
            }
            for filter in filters.clone().step_by(R) {
                let mut w = w.as_ptr().wrapping_add(layout.panels.offset(panel) + filter % Panels::WIDTH);
                let mut sums = [[s.splat(0.0); POSITIONS]; R];
                for rows in layout.rows.offsets().as_chunks::<2>().0 {
                    // What the left positions see comes after what the right ones saw.
                    let (mut upper, mut lower) =
                        (from.wrapping_add(rows[0] as usize), from.wrapping_add(rows[1] as usize));
                    // SAFETY: `first + 16` is at most `lanes` of `new`, which has checked the copy with the
                    // largest row.
                    let mut left = unsafe { [s.load_ptr(upper), s.load_ptr(lower)] };
                    for _ in 0..layout.columns {
                        (upper, lower) = (upper.wrapping_add(layout.plane), lower.wrapping_add(layout.plane));
                        // SAFETY: the same, at most `columns` planes later, which `new` has checked too.
                        let right = unsafe { [s.load_ptr(upper), s.load_ptr(lower)] };
                        let seen = [left[0], right[0], left[1], right[1]];
                        for (r, sums) in sums.iter_mut().enumerate() {
                            // SAFETY: column `filter + r` of the panel, in a row below `rows.len() /
                            // 2·columns`.
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
                    for p in 1..POSITIONS {
                        best.update(s, s.add(sums[p], bias), places[p]);
                    }
                    let to = (filter + r) * layout.windows + first;
                    // The floor first: where the other is NaN, `max` gives the second.
                    let value = s.max(floor, best.value);
                    // SAFETY: `to + lanes` is at most `cols·windows`, which `new` has checked `y` against.
                    s.store_part(value, unsafe { core::slice::from_raw_parts_mut(forward.y.wrapping_add(to), lanes) });
                    if !forward.argmax.is_null() {
                        let place = s.select(s.le(best.value, floor), none, s.from_bits(best.at));
                        let at = forward.argmax.wrapping_add(to);
                        // SAFETY: the same for `argmax`, which is not null and was checked likewise.
                        s.store_part(place, unsafe { core::slice::from_raw_parts_mut(at, lanes) });
                    }
                }
            }
        }
    }
}
