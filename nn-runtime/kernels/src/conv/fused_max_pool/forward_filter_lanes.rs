//! Maxima with filters as lanes: for some windows and filters the sums at all positions of the windows stay
//! in registers. An image, its table of taps and weights come in; for each window its maxima go out side by
//! side, and where each stood. Each sum is the chain of `fma` that it is with windows as lanes.

use core::hint::black_box;
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
pub(super) struct FilterLanesLayout<'a> {
    /// From a position, where its filter finds the number for each row of the weights.
    pub taps: OffsetTable<'a>,
    pub panels: Panels,
    pub filters: FilterBank<'a>,
    /// Rows and columns of windows, and from one to the next in the image and as `argmax` counts.
    pub grid: [usize; 2],
    pub steps: [usize; 2],
    pub argmax_steps: [usize; 2],
    /// From the upper positions of a window to the lower in the image; the right ones are next to the left.
    pub down: usize,
    /// From the first position of a window to each, as `argmax` counts.
    pub offsets: [i32; POSITIONS],
    /// From one window to the next in the results, in whole vectors of filters.
    pub row_stride: usize,
}

/// The maxima of one image.
#[derive(Clone, Copy)]
pub(super) struct FilterLanesForward<'a> {
    layout: FilterLanesLayout<'a>,
    x: *const f32,
    /// `[windows, row_stride]` for the maxima, and as much for where they stood.
    y: *mut f32,
    argmax: *mut f32,
    borrowed: PhantomData<(&'a [f32], &'a mut [f32])>,
}

impl<'a> FilterLanesForward<'a> {
    /// Whether the sums of a window fit in the registers.
    pub(super) const fn fits<S: Simd>() -> bool {
        S::REGISTERS >= 8
    }

    /// Of the image `x`, to `y` and `argmax`, `[windows, row_stride]` each.
    ///
    /// # Panics
    /// One of them, the weights or the bias are too short for the layout.
    #[inline(always)]
    pub(super) fn new(
        x: &'a [f32],
        y: &'a mut [f32],
        argmax: &'a mut [f32],
        layout: FilterLanesLayout<'a>,
    ) -> FilterLanesForward<'a> {
        let FilterLanesLayout { taps, panels, grid: [rows, columns], steps, down, row_stride, .. } = layout;
        let last = (rows - 1) * steps[0] + (columns - 1) * steps[1] + down + 1 + taps.largest();
        assert!(last < x.len(), "expected an image that holds all taps");
        assert!(
            taps.offsets().len() <= panels.rows() && layout.filters.w.len() >= panels.len(),
            "expected a row of the weights for each tap"
        );
        assert!(row_stride == panels.cols().next_multiple_of(LANES), "expected whole vectors of all filters");
        let needed = rows * columns * row_stride;
        assert!(y.len() >= needed && argmax.len() >= needed, "expected room for all maxima");
        FilterLanesForward {
            layout,
            x: x.as_ptr(),
            y: y.as_mut_ptr(),
            argmax: argmax.as_mut_ptr(),
            borrowed: PhantomData,
        }
    }

    /// Computes all of them; it [`fits`](FilterLanesForward::fits).
    #[inline(always)]
    pub(super) fn run<S: Simd>(self, s: S) {
        let FilterLanesLayout { grid, panels, row_stride, .. } = self.layout;
        let windows = grid[0] * grid[1];
        let vectors = row_stride / LANES;
        let mut vector = 0;
        while vector < vectors {
            let width = panels.width(vector * LANES / Panels::WIDTH);
            let side = if S::REGISTERS >= 32 { width / LANES } else { 1 };
            let job = FilterVectors { forward: self, vector, width };
            // As many windows as the registers hold, then those that are left one by one.
            let together = match (S::REGISTERS, side) {
                (32.., 2) => 3,
                (32.., _) => 4,
                _ => 1,
            };
            let most = windows / together * together;
            if const { S::REGISTERS >= 32 } {
                if side == 2 {
                    s.call(FilterLanesTile::<3, 2>(job, 0..most));
                    s.call(FilterLanesTile::<1, 2>(job, most..windows));
                } else {
                    s.call(FilterLanesTile::<4, 1>(job, 0..most));
                }
            }
            if side == 1 {
                s.call(FilterLanesTile::<1, 1>(job, if S::REGISTERS >= 32 { most } else { 0 }..windows));
            }
            vector += side;
        }
    }
}

/// Some vectors of filters, in a panel of this width.
#[derive(Clone, Copy)]
struct FilterVectors<'a> {
    forward: FilterLanesForward<'a>,
    vector: usize,
    width: usize,
}

/// `W` windows and `V` vectors at a time, in a function of its own: the registers are allotted for each anew.
/// The windows are of the grid, a multiple of `W`, and the vectors end with the panel: only
/// `FilterLanesForward::run` makes one.
struct FilterLanesTile<'a, const W: usize, const V: usize>(FilterVectors<'a>, Range<usize>);

impl<const W: usize, const V: usize> Kernel for FilterLanesTile<'_, W, V> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let FilterLanesTile(FilterVectors { forward, vector, width }, windows) = self;
        let layout = forward.layout;
        let FilterBank { w, bias, floor } = layout.filters;
        let (floor, none) = (s.splat(floor), s.splat(f32::from_bits(REPLACED)));
        let filter = vector * LANES;
        let mut biases = [s.splat(0.0); V];
        if let Some(from) = bias {
            for (v, bias) in biases.iter_mut().enumerate() {
                *bias = s.load_part(&from[(filter + v * LANES).min(from.len())..]);
            }
        }
        let w = w.as_ptr().wrapping_add(layout.panels.offset(vector / 2) + vector % 2 * LANES);
        let [mut y, mut x] = [windows.start / layout.grid[1], windows.start % layout.grid[1]];
        for window in windows.step_by(W) {
            let (mut rows, mut origins) = ([[forward.x; 2]; W], [0; W]);
            for (rows, origin) in rows.iter_mut().zip(&mut origins) {
                let upper = forward.x.wrapping_add(y * layout.steps[0] + x * layout.steps[1]);
                *rows = [upper, upper.wrapping_add(layout.down)];
                *origin = (y * layout.argmax_steps[0] + x * layout.argmax_steps[1]) as i32;
                x += 1;
                if x == layout.grid[1] {
                    (y, x) = (y + 1, 0);
                }
            }
            // SAFETY: a window of the grid, its lower right position and the largest tap add up to the `last`
            // that `new` has checked; tap n has row n of the panel, and `V` vectors end with the row.
            let sums = unsafe { layout.sums::<S, W, V>(s, rows, w, width) };
            for (n, (sums, origin)) in sums.iter().zip(origins).enumerate() {
                for (v, bias) in biases.into_iter().enumerate() {
                    let mut best: RunningMax<S> = RunningMax { value: s.add(sums[0][v], bias), at: s.splat_i(origin) };
                    for (sums, offset) in sums[1..].iter().zip(&layout.offsets[1..]) {
                        best.update(s, s.add(sums[v], bias), s.splat_i(origin + offset));
                    }
                    let to = (window + n) * layout.row_stride + filter + v * LANES;
                    let place = s.select(s.le(best.value, floor), none, s.from_bits(best.at));
                    // SAFETY: `to + 16 <= windows·row_stride`, as a row has whole vectors, which `new` has
                    // checked `y` and `argmax` against.
                    unsafe {
                        // The floor first: where the other is NaN, `max` gives the second.
                        s.store_ptr(s.max(floor, best.value), forward.y.wrapping_add(to));
                        s.store_ptr(place, forward.argmax.wrapping_add(to));
                    }
                }
            }
        }
    }
}

impl FilterLanesLayout<'_> {
    /// The sums at the positions of some windows, whose upper and lower rows begin at `rows`.
    ///
    /// # Safety
    /// Each of `rows`, and the number after it, can be read with each tap added, and `V` vectors at `w +
    /// n·width` for each tap n.
    #[inline(always)]
    unsafe fn sums<S: Simd, const W: usize, const V: usize>(
        self,
        s: S,
        rows: [[*const f32; 2]; W],
        mut w: *const f32,
        width: usize,
    ) -> [[[S::F; V]; POSITIONS]; W] {
        let mut sums = [[[s.splat(0.0); V]; POSITIONS]; W];
        // As in `micro`: the compiler must not work these out anew in every step.
        let rows = black_box(rows);
        for tap in self.taps.offsets() {
            let tap = *tap as usize;
            let mut weights = [s.splat(0.0); V];
            for (v, weight) in weights.iter_mut().enumerate() {
                // SAFETY: vector v of tap n, as `w` is the caller's plus n·width.
                *weight = unsafe { s.load_ptr(w.wrapping_add(v * LANES)) };
            }
            for (sums, rows) in sums.iter_mut().zip(rows) {
                for (position, sums) in sums.iter_mut().enumerate() {
                    // SAFETY: a row with a tap, or the number after it: the right position is next to the
                    // left.
                    let x = s.splat(unsafe { *rows[position / 2].wrapping_add(tap + position % 2) });
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum = s.fma(x, weight, *sum);
                    }
                }
            }
            w = w.wrapping_add(width);
        }
        sums
    }
}
