//! MaxPoolGrad with the filters as lanes: for some windows and filters the sums at all places of the windows stay in registers.
//! Comes in: an image, its table, weights in panels; goes out: for each window its maxima side by side, and where each stood.
//! Never another chain of `fma` for a sum than where windows are the lanes.

use core::hint::black_box;
use core::ops::Range;

use super::super::padded::offset;
use super::forward::FilterBank;
use super::{CUT_OFF, PLACES};
use crate::matrix::Panels;
use crate::pool::RunningMax;
use crate::simd::{Kernel, LANES, Simd};

/// The maxima of one image.
#[derive(Clone, Copy)]
pub(super) struct FilterLanesForward<'a> {
    pub x: *const f32,
    /// For each row of the weights, where a filter finds its number.
    pub taps: &'a [f32],
    pub panels: Panels,
    pub filters: FilterBank<'a>,
    /// Rows and columns of windows, and from one to the next in the image and in what is kept.
    pub grid: [usize; 2],
    pub steps: [usize; 2],
    pub leaps: [usize; 2],
    /// From the upper places of a window to the lower in the image; the right ones are next to the left.
    pub down: usize,
    /// From the first place of a window to the others in what is kept.
    pub kept: [i32; PLACES],
    /// `[windows, pitch]` for the maxima, and as much for where they stood.
    pub y: *mut f32,
    pub at: *mut f32,
    pub pitch: usize,
}

impl FilterLanesForward<'_> {
    /// Whether the sums of a window fit in the registers.
    pub(super) const fn fits<S: Simd>() -> bool {
        S::REGISTERS >= 8
    }

    /// Computes all of them.
    ///
    /// # Safety
    /// What filters see at each place of the windows can be read, `w` is in the panels, a row a tap, and there is room for whole vectors of
    /// filters for each window. [`fits`](FilterLanesForward::fits).
    #[inline(always)]
    pub(super) unsafe fn run<S: Simd>(self, s: S) {
        let windows = self.grid[0] * self.grid[1];
        let vectors = self.pitch / LANES;
        let mut vector = 0;
        while vector < vectors {
            let width = self.panels.width(vector * LANES / Panels::WIDTH);
            let side = if S::REGISTERS >= 32 { width / LANES } else { 1 };
            let job = FilterVectors { job: self, vector, width };
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
    job: FilterLanesForward<'a>,
    vector: usize,
    width: usize,
}

/// `W` windows and `V` vectors at a time, in a function of its own: the registers are shared out for each anew.
struct FilterLanesTile<'a, const W: usize, const V: usize>(FilterVectors<'a>, Range<usize>);

impl<const W: usize, const V: usize> Kernel for FilterLanesTile<'_, W, V> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let FilterLanesTile(FilterVectors { job, vector, width }, windows) = self;
        let FilterBank { w, bias, floor } = job.filters;
        let (floor, none) = (s.splat(floor), s.splat(f32::from_bits(CUT_OFF)));
        let column = vector * LANES;
        let mut biases = [s.splat(0.0); V];
        if let Some(from) = bias {
            for (v, bias) in biases.iter_mut().enumerate() {
                *bias = s.load_part(&from[(column + v * LANES).min(from.len())..]);
            }
        }
        let w = w.as_ptr().wrapping_add(job.panels.offset(vector / 2) + vector % 2 * LANES);
        let [mut y, mut x] = [windows.start / job.grid[1], windows.start % job.grid[1]];
        for window in windows.step_by(W) {
            let (mut rows, mut origins) = ([[job.x; 2]; W], [0; W]);
            for (rows, origin) in rows.iter_mut().zip(&mut origins) {
                let upper = job.x.wrapping_add(y * job.steps[0] + x * job.steps[1]);
                *rows = [upper, upper.wrapping_add(job.down)];
                *origin = (y * job.leaps[0] + x * job.leaps[1]) as i32;
                x += 1;
                if x == job.grid[1] {
                    (y, x) = (y + 1, 0);
                }
            }
            // SAFETY: the maker vouches for what is seen; each tap has its row in the panels.
            let sums = unsafe { job.sums::<S, W, V>(s, rows, w, width) };
            for (n, (sums, origin)) in sums.iter().zip(origins).enumerate() {
                for (v, bias) in biases.into_iter().enumerate() {
                    let mut best: RunningMax<S> = RunningMax { value: s.add(sums[0][v], bias), at: s.splat_i(origin) };
                    for (sums, kept) in sums[1..].iter().zip(&job.kept[1..]) {
                        best.meet(s, s.add(sums[v], bias), s.splat_i(origin + kept));
                    }
                    let to = (window + n) * job.pitch + column + v * LANES;
                    let place = s.select(s.le(best.value, floor), none, s.from_bits(best.at));
                    // SAFETY: the maker vouches for whole vectors of filters.
                    unsafe {
                        // The floor first: where the other is NaN, `max` gives the second.
                        s.store_ptr(s.max(floor, best.value), job.y.wrapping_add(to));
                        s.store_ptr(place, job.at.wrapping_add(to));
                    }
                }
            }
        }
    }
}

impl FilterLanesForward<'_> {
    /// The sums at the places of some windows, whose upper and lower rows begin at `rows`.
    ///
    /// # Safety
    /// What filters see at each place of these windows can be read, and of `w` the vectors of each tap.
    #[inline(always)]
    unsafe fn sums<S: Simd, const W: usize, const V: usize>(
        self,
        s: S,
        rows: [[*const f32; 2]; W],
        mut w: *const f32,
        width: usize,
    ) -> [[[S::F; V]; PLACES]; W] {
        let mut sums = [[[s.splat(0.0); V]; PLACES]; W];
        // As in `micro`: the compiler must not work these out anew in every step.
        let rows = black_box(rows);
        for tap in self.taps {
            let tap = offset(*tap);
            let mut weights = [s.splat(0.0); V];
            for (v, weight) in weights.iter_mut().enumerate() {
                // SAFETY: the caller vouches for the vectors of a tap.
                *weight = unsafe { s.load_ptr(w.wrapping_add(v * LANES)) };
            }
            for (sums, rows) in sums.iter_mut().zip(rows) {
                for (place, sums) in sums.iter_mut().enumerate() {
                    // SAFETY: the caller vouches for what is seen, the right place next to the left.
                    let x = s.splat(unsafe { *rows[place / 2].wrapping_add(tap + place % 2) });
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
