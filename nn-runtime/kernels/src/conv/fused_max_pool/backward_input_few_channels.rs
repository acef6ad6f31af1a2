//! Backward to the inputs where filters see few channels: for each window all that any of its places sees is one sum in registers.
//! Comes in: gradients of maxima, where these stood, and weights; goes out: gradients of inputs, overwritten.
//! Nothing is asked of a maximum but which place of its window it was: that picks a copy of the filter, laid out for that place.

use core::hint::black_box;
use core::ops::Range;

use super::super::Conv;
use super::super::padded::{entry, offset};
use super::forward::two_by_two;
use super::{MaxPoolGrad, PLACES};
use crate::matrix::Panels;
use crate::pool::Pool;
use crate::simd::{Kernel, LANES, Simd};

/// A region `[channels, rows, columns]` of what one window sees.
#[derive(Clone, Copy)]
pub(super) struct ReceptiveField {
    c: Conv,
    /// The channels that are taken together: few, so that the filters' parts for them stay in the nearest cache for all samples.
    channels: usize,
    /// Rows and columns.
    sides: [usize; 2],
    /// From one window to the next below and to the right, in places of the input.
    step: [usize; 2],
    /// Rows and columns of windows.
    grid: [usize; 2],
    /// From one place of a window to the next below and to the right, in regions.
    leaps: [usize; 2],
}

impl ReceptiveField {
    /// What windows of `pool` see, where it is best to take it as a whole.
    pub(super) const fn of(c: &Conv, pool: &Pool) -> Option<ReceptiveField> {
        if !two_by_two(pool) {
            return None;
        }
        let rows = c.stride[0] + (c.kernel[0] - 1) * c.dilation[0] + 1;
        let columns = c.stride[1] + (c.kernel[1] - 1) * c.dilation[1] + 1;
        let step = [c.stride[0] * pool.stride[0], c.stride[1] * pool.stride[1]];
        let leaps = [c.stride[0] * columns, c.stride[1]];
        let most = WIDE * LANES / (rows * columns);
        if most == 0 || columns > LANES || step[1] < 2 {
            return None;
        }
        // No more parts than needed, about as large as each other.
        let parts = c.channels.div_ceil(most);
        let channels = c.channels.div_ceil(parts);
        let region = ReceptiveField { c: *c, channels, sides: [rows, columns], step, grid: pool.output(), leaps };
        let by_rows = c.kernel[0] * (c.kernel[1] * c.channels).div_ceil(LANES);
        // To add a number where it lies costs twice what it costs in a register; and the copies are read in no order.
        let pays = parts * region.vectors() <= 2 * by_rows && parts * region.table() <= 1 << 16;
        if pays { Some(region) } else { None }
    }

    const fn vectors(&self) -> usize {
        (self.channels * self.sides[0] * self.sides[1]).div_ceil(LANES)
    }

    /// From one region to the next: one or two times what stays in registers.
    const fn pitch(&self) -> usize {
        self.vectors().next_multiple_of(NARROW) * LANES
    }

    /// The vectors that stay in registers at a time.
    const fn together<S: Simd>(&self) -> usize {
        if S::REGISTERS >= 32 && self.vectors() > NARROW { WIDE } else { NARROW }
    }

    /// Numbers of the filters, laid out for each place of a window, and of one that is all 0.
    const fn table(&self) -> usize {
        (self.c.filters * PLACES + 1) * self.pitch()
    }

    const fn windows(&self) -> usize {
        self.grid[0] * self.grid[1]
    }

    /// From one filter to the next of what is kept for each window.
    const fn apart(&self) -> usize {
        self.windows().next_multiple_of(LANES)
    }

    /// Numbers of memory: the table, where windows begin, a filter and a gradient for each maximum, and the regions, with a vector
    /// before and one behind.
    pub(super) const fn scratch(&self) -> usize {
        self.table() + (2 * self.c.filters + 1) * self.apart() + self.windows() * self.pitch() + 2 * LANES
    }

    /// Lays the filters' parts for some channels out, `together` vectors of all, then as many more.
    fn lay(&self, w: &[f32], channels: Range<usize>, together: usize, table: &mut [f32]) {
        table.fill(0.0);
        let (c, panels, wide) = (self.c, self.c.panels(), together * LANES);
        let ([rows, columns], [down, right]) = (c.kernel, self.leaps);
        let part = wide * (c.filters * PLACES + 1);
        for filter in 0..c.filters {
            let panel = &w[panels.index(channels.start * rows * columns, filter)..];
            let mut weights = panel.iter().step_by(panels.width(filter / Panels::WIDTH));
            let copies = &mut table[filter * PLACES * wide..];
            for channel in (0..channels.len()).map(|channel| channel * self.sides[0] * self.sides[1]) {
                for y in (0..rows).map(|k| channel + k * c.dilation[0] * self.sides[1]) {
                    for (x, weight) in (0..columns).map(|k| y + k * c.dilation[1]).zip(&mut weights) {
                        for (place, leap) in [0, right, down, down + right].into_iter().enumerate() {
                            // What is taken together is all or a half of it.
                            let at = x + leap;
                            let lane = if at < wide { at } else { part + at - wide };
                            copies[place * wide + lane] = *weight;
                        }
                    }
                }
            }
        }
    }
}

/// How many vectors of a region are taken together: as many as one may have, or a half.
const WIDE: usize = 7;
const NARROW: usize = 4;

/// The gradients of the inputs of all samples; the lengths have been checked.
pub(super) struct FewChannelsInputGrad<'a> {
    pub region: ReceptiveField,
    pub m: MaxPoolGrad<'a>,
    /// From one place to the next below and to the right, as maxima are kept.
    pub kept: [usize; 2],
    pub w: &'a [f32],
    pub dx: &'a mut [f32],
    pub scratch: &'a mut [f32],
}

impl Kernel for FewChannelsInputGrad<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let FewChannelsInputGrad { region, m, kept, w, dx, scratch } = self;
        let (c, windows, pitch, apart) = (region.c, region.windows(), region.pitch(), region.apart());
        let (table, scratch) = scratch.split_at_mut(region.table());
        let (origins, scratch) = scratch.split_at_mut(apart);
        let (entries, scratch) = scratch.split_at_mut(c.filters * apart);
        let (gradients, scratch) = scratch.split_at_mut(c.filters * apart);
        let regions = &mut scratch[..windows * pitch + 2 * LANES];
        let together = region.together::<S>();
        regions.fill(0.0);
        for (y, row) in origins[..windows].chunks_exact_mut(region.grid[1]).enumerate() {
            for (x, origin) in row.iter_mut().enumerate() {
                *origin = entry(y * m.pool.stride[0] * kept[0] + x * m.pool.stride[1] * kept[1]);
            }
        }
        for start in (0..c.channels).step_by(region.channels) {
            let channels = start..c.channels.min(start + region.channels);
            region.lay(w, channels.clone(), together, table);
            let samples = m.dy.chunks_exact(m.pool.y_len()).zip(m.at.chunks_exact(m.pool.y_len()));
            for (dx, (dy, at)) in dx.chunks_exact_mut(c.x_len()).zip(samples) {
                s.call(PickCopies { region, kept, m: MaxPoolGrad { dy, at, ..m }, origins, entries, gradients });
                for first in (0..region.vectors() * LANES).step_by(together * LANES) {
                    let job = FieldSums { region, table, entries, gradients, regions: regions.as_mut_ptr(), first };
                    if together == WIDE {
                        s.call(FieldTile::<WIDE>(job));
                    } else {
                        s.call(FieldTile::<NARROW>(job));
                    }
                }
                let plane = c.height * c.width;
                s.call(GatherFields { region, regions, dx: &mut dx[channels.start * plane..channels.end * plane] });
            }
        }
    }
}

/// For each maximum which filter it is, as laid out for its place, and its gradient; of one that does not pass, the filter that
/// is all 0, and 0.
struct PickCopies<'a> {
    region: ReceptiveField,
    /// As in [`FewChannelsInputGrad`].
    kept: [usize; 2],
    m: MaxPoolGrad<'a>,
    origins: &'a [f32],
    entries: &'a mut [f32],
    gradients: &'a mut [f32],
}

impl Kernel for PickCopies<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let PickCopies { region, kept: [down, right], m, origins, entries, gradients } = self;
        let (windows, apart) = (region.windows(), region.apart());
        let zeros = s.from_bits(s.splat_i((region.c.filters * PLACES) as i32));
        let to = entries.chunks_exact_mut(apart).zip(gradients.chunks_exact_mut(apart));
        let from = m.dy.chunks_exact(windows).zip(m.at.chunks_exact(windows));
        for (filter, ((entries, gradients), (dy, at))) in to.zip(from).enumerate() {
            let first = s.splat_i((filter * PLACES) as i32);
            let to = entries.as_chunks_mut::<LANES>().0.iter_mut().zip(gradients.as_chunks_mut::<LANES>().0);
            let from = dy.chunks(LANES).zip(at.chunks(LANES));
            for (((entry, gradient), (dy, at)), origin) in to.zip(from).zip(origins.as_chunks::<LANES>().0) {
                let (dy, at, origin) = (s.load_part(dy), s.bits(s.load_part(at)), s.bits(s.load(origin)));
                let place = s.sub_i(at, origin);
                // The first place, or the one to its right; then the same below.
                let below = s.not_m(s.lt_i(place, s.splat_i(down as i32)));
                let row = s.select(below, s.from_bits(s.splat_i(2)), s.splat(0.0));
                let start = s.select(below, s.from_bits(s.splat_i(down as i32)), s.splat(0.0));
                let beside = s.not_m(s.lt_i(s.sub_i(place, s.bits(start)), s.splat_i(right as i32)));
                let column = s.select(beside, s.from_bits(s.splat_i(1)), s.splat(0.0));
                let at_filter = s.add_i(first, s.add_i(s.bits(row), s.bits(column)));
                let idle = s.or_m(s.lt_i(at, s.splat_i(0)), s.eq(dy, s.splat(0.0)));
                s.store(s.select(idle, zeros, s.from_bits(at_filter)), entry);
                s.store(s.select(idle, s.splat(0.0), dy), gradient);
            }
        }
    }
}

/// Some vectors of all regions, which begin with number `first` of each.
#[derive(Clone, Copy)]
struct FieldSums<'a> {
    region: ReceptiveField,
    table: &'a [f32],
    entries: &'a [f32],
    gradients: &'a [f32],
    regions: *mut f32,
    first: usize,
}

/// So many vectors, in a function of its own: the registers are shared out for each anew.
struct FieldTile<'a, const V: usize>(FieldSums<'a>);

impl<const V: usize> Kernel for FieldTile<'_, V> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let FieldSums { region, table, entries, gradients, regions, first } = self.0;
        let (apart, pitch) = (region.apart(), region.pitch());
        let table = table.as_ptr().wrapping_add(first * (region.c.filters * PLACES + 1));
        let most = (region.c.filters - 1) * apart + region.windows();
        assert!(entries.len() >= most && gradients.len() >= most, "expected an entry and a gradient for each maximum");
        for window in 0..region.windows() {
            let mut sums = [s.splat(0.0); V];
            let mut at = window;
            for _ in 0..region.c.filters {
                // SAFETY: each filter has an entry and a gradient for each window, and `PickCopies` has written nothing but numbers of filters of
                // the table, which have these vectors.
                unsafe {
                    let entry = offset(*entries.as_ptr().wrapping_add(at));
                    let dy = s.splat(*gradients.as_ptr().wrapping_add(at));
                    let filter = table.wrapping_add(entry * V * LANES);
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = s.fma(s.load_ptr(filter.wrapping_add(v * LANES)), dy, *sum);
                    }
                }
                at += apart;
            }
            for (v, sum) in sums.into_iter().enumerate() {
                // SAFETY: each window has a region, with these vectors, in the memory that `FewChannelsInputGrad` has borrowed.
                unsafe { s.store_ptr(sum, regions.wrapping_add(LANES + window * pitch + first + v * LANES)) };
            }
        }
    }
}

/// Adds for each input of some channels what the windows that see it have for it, row by row of them.
struct GatherFields<'a> {
    region: ReceptiveField,
    regions: &'a [f32],
    dx: &'a mut [f32],
}

/// Windows side by side that are taken together.
const SIDE: usize = 4;

impl Kernel for GatherFields<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        const LANE: [i32; LANES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let GatherFields { region, regions, dx } = self;
        let ReceptiveField { c, sides: [rows, columns], step, grid, .. } = region;
        let (pitch, [top, _, left, _]) = (region.pitch(), c.pad);
        let (plane, channels) = (c.height * c.width, dx.len() / (c.height * c.width));
        assert!(
            regions.len() >= 2 * LANES + region.windows() * pitch && channels <= region.channels,
            "expected all regions, and channels that they hold"
        );
        let lanes = s.load_i(&LANE);
        for first in (0..c.width).step_by(LANES) {
            // The windows that see one of these columns.
            let x = first + left;
            let seen = (x + step[1]).saturating_sub(columns) / step[1]..grid[1].min((x + LANES - 1) / step[1] + 1);
            let count = (c.width - first).min(LANES);
            // At least once: what no window sees is 0.
            for side in (seen.start..seen.end.max(seen.start + 1)).step_by(SIDE) {
                // Where the regions of these windows begin, and which lanes they have; of those that are not there, none.
                let mut there = [s.lt_i(lanes, lanes); SIDE];
                let mut begins = [regions.as_ptr(); SIDE];
                for (n, (there, begins)) in there.iter_mut().zip(&mut begins).enumerate() {
                    let window = side + n;
                    if window < seen.end {
                        let begin = (window * step[1]) as i32 - x as i32;
                        let end = s.lt_i(lanes, s.splat_i(begin + columns as i32));
                        *there = s.and_m(s.not_m(s.lt_i(lanes, s.splat_i(begin))), end);
                        *begins = begins.wrapping_add(LANES + window * pitch + x).wrapping_sub(window * step[1]);
                    }
                }
                let begins = black_box(begins);
                // The rows of windows that see a row.
                let mut above = 0..0;
                for y in 0..c.height {
                    let at = y + top;
                    while above.start < grid[0] && above.start * step[0] + rows <= at {
                        above.start += 1;
                    }
                    while above.end < grid[0] && above.end * step[0] <= at {
                        above.end += 1;
                    }
                    for channel in 0..channels {
                        let to = channel * plane + y * c.width + first;
                        let dx = &mut dx[to..to + count];
                        let mut sum = if side == seen.start { s.splat(0.0) } else { s.load_part(dx) };
                        for row in above.start..above.end {
                            let line = (channel * rows + at - row * step[0]) * columns + row * grid[1] * pitch;
                            for (there, begin) in there.into_iter().zip(begins) {
                                // SAFETY: where the window is there, some of these lanes are columns of its region, before and behind which
                                // there is a vector more; else it is a part of the first row's.
                                let part = unsafe { s.load_ptr(begin.wrapping_add(line)) };
                                sum = s.select(there, s.add(sum, part), sum);
                            }
                        }
                        s.store_part(sum, dx);
                    }
                }
            }
        }
    }
}
