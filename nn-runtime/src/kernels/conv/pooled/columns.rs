//! Maxima with the filters as lanes: for some windows and filters the sums at all places of the windows stay in registers.
//! Comes in: an image, its table, weights in panels; goes out: for each window its maxima side by side, and where each stood.
//! Never another chain of `fma` for a sum than where windows are the lanes.

use core::ops::Range;

use super::super::window::walk;
use super::forward::Filters;
use super::{CUT_OFF, PLACES};
use crate::kernels::matrix::Panels;
use crate::kernels::pool::Best;
use crate::kernels::simd::{Kernel, LANES, Simd};

/// The maxima of one image.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub x: *const f32,
    /// For each row of the weights, where a filter finds its number.
    pub taps: &'a [f32],
    pub panels: Panels,
    pub filters: Filters<'a>,
    /// Rows and columns of windows, and from one to the next in the image and in what is kept.
    pub grid: [usize; 2],
    pub steps: [usize; 2],
    pub leaps: [usize; 2],
    /// From the first place of a window to the others, likewise.
    pub places: [usize; PLACES],
    pub kept: [i32; PLACES],
    /// `[windows, pitch]` for the maxima, and as much for where they stood.
    pub y: *mut f32,
    pub at: *mut f32,
    pub pitch: usize,
}

impl Columns<'_> {
    /// Whether the sums of a window fit in the registers.
    pub(super) const fn fits<S: Simd>() -> bool {
        S::REGISTERS >= 8
    }

    /// Computes all of them.
    ///
    /// # Safety
    /// What filters see at each place of the windows can be read, `w` is in the panels, a row a tap, and there is room for whole vectors of
    /// filters for each window. [`fits`](Columns::fits).
    #[inline(always)]
    pub(super) unsafe fn run<S: Simd>(self, s: S) {
        let windows = self.grid[0] * self.grid[1];
        let vectors = self.pitch / LANES;
        let mut vector = 0;
        while vector < vectors {
            let width = self.panels.width(vector * LANES / Panels::WIDTH);
            let side = if S::REGISTERS >= 32 { width / LANES } else { 1 };
            let job = Sums { job: self, vector, width };
            let paired = if S::REGISTERS >= 32 { windows / 2 * 2 } else { 0 };
            if const { S::REGISTERS >= 32 } {
                if side == 2 {
                    s.call(Tile::<{ 2 * PLACES }, 2>(job, 0..paired));
                    s.call(Tile::<PLACES, 2>(job, paired..windows));
                } else {
                    s.call(Tile::<{ 2 * PLACES }, 1>(job, 0..paired));
                }
            }
            if side == 1 {
                s.call(Tile::<PLACES, 1>(job, paired..windows));
            }
            vector += side;
        }
    }
}

/// Some vectors of filters, in a panel of this width.
#[derive(Clone, Copy)]
struct Sums<'a> {
    job: Columns<'a>,
    vector: usize,
    width: usize,
}

/// Tiles of `R` places, all of a window and then all of the next, and `V` vectors, in a function of its own: the registers are shared out
/// for each anew.
struct Tile<'a, const R: usize, const V: usize>(Sums<'a>, Range<usize>);

impl<const R: usize, const V: usize> Kernel for Tile<'_, R, V> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Tile(Sums { job, vector, width }, windows) = self;
        let Filters { w, bias, floor } = job.filters;
        let (floor, none) = (s.splat(floor), s.splat(f32::from_bits(CUT_OFF)));
        let column = vector * LANES;
        let mut biases = [s.splat(0.0); V];
        if let Some(from) = bias {
            for (v, bias) in biases.iter_mut().enumerate() {
                *bias = s.load_part(&from[(column + v * LANES).min(from.len())..]);
            }
        }
        let w = w.as_ptr().wrapping_add(job.panels.offset(vector / 2) + vector % 2 * LANES);
        for window in windows.step_by(R / PLACES) {
            let mut from = [job.x; R];
            for (n, from) in from.chunks_exact_mut(PLACES).enumerate() {
                let (y, x) = ((window + n) / job.grid[1], (window + n) % job.grid[1]);
                for (from, place) in from.iter_mut().zip(job.places) {
                    *from = from.wrapping_add(y * job.steps[0] + x * job.steps[1] + place);
                }
            }
            let zero = [[s.splat(0.0); V]; R];
            // SAFETY: the maker vouches for what is seen; each tap has its row in the panels.
            let sums = unsafe { walk(s, zero, from, job.taps, w, 0, width) };
            for (n, sums) in sums.chunks_exact(PLACES).enumerate() {
                let (y, x) = ((window + n) / job.grid[1], (window + n) % job.grid[1]);
                let origin = (y * job.leaps[0] + x * job.leaps[1]) as i32;
                for (v, bias) in biases.into_iter().enumerate() {
                    let mut best: Best<S> = Best { value: s.add(sums[0][v], bias), at: s.splat_i(origin) };
                    for (sums, kept) in sums.iter().zip(job.kept).skip(1) {
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
