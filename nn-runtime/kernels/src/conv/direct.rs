//! Direct convolution: at every output position, the weighted sums of what the kernel sees there. In come an
//! image, offsets of the taps, and weights; out go sums plus bias, not below a floor. The lanes are filters,
//! or neighbouring positions: which of them changes the speed, and no bit.

use core::hint::black_box;
use core::marker::PhantomData;
use core::ops::Range;

use super::FilterBank;
use super::offsets::OffsetTable;
use super::padded::Strides;
use crate::matrix::Panels;
use crate::micro::{TileKernel, TileSums, for_each_tile, widest};
use crate::simd::{LANES, Simd};

/// Goes on with the chains of `sums` over a table of offsets: row r is broadcast from `rows[r]`, and for
/// entry n the vectors start at `vectors + n·step`, two side by side, pairs of them `pair` apart.
///
/// # Safety
/// `rows[r] + table[n]` can be read for every row and entry, and sixteen numbers at `vectors + n·step + v /
/// 2·pair + v % 2·16` for every entry and every vector v below `V`.
#[inline(always)]
pub(super) unsafe fn accumulate_taps<S: Simd, const R: usize, const V: usize>(
    s: S,
    mut sums: TileSums<S, R, V>,
    rows: [*const f32; R],
    table: &[u32],
    mut vectors: *const f32,
    pair: usize,
    step: usize,
) -> TileSums<S, R, V> {
    // As in `micro`: the compiler must not work these out anew in every step.
    let rows = black_box(rows);
    for offset in table {
        let mut loaded = [s.splat(0.0); V];
        for (v, loaded) in loaded.iter_mut().enumerate() {
            // SAFETY: `vectors` is the caller's plus n·step for entry n, and v is below `V`.
            *loaded = unsafe { s.load_ptr(vectors.wrapping_add(v / 2 * pair + v % 2 * LANES)) };
        }
        for (sums, row) in sums.iter_mut().zip(rows) {
            // SAFETY: `offset` is an entry of the table.
            let x = s.splat(unsafe { *row.wrapping_add(*offset as usize) });
            for (sum, vector) in sums.iter_mut().zip(loaded) {
                *sum = s.fma(x, vector, *sum);
            }
        }
        vectors = vectors.wrapping_add(step);
    }
    sums
}

/// What is computed, and where its numbers lie.
#[derive(Clone, Copy)]
pub(super) struct DirectLayout<'a> {
    /// What the lanes are: filters, or neighbouring positions of a row, between which the step must be 1.
    pub filter_lanes: bool,
    /// From a position to what its window sees, an offset for each row of the weights.
    pub taps: OffsetTable<'a>,
    /// Rows and columns of positions.
    pub positions: [usize; 2],
    /// From one position to the next below and to the right in the image.
    pub steps: [usize; 2],
    pub panels: Panels,
    pub filters: FilterBank<'a>,
    /// The filters that are asked for; where filters are lanes they start and end with panels.
    pub range: FilterRange,
    /// In the result, with filters as planes.
    pub y_strides: Strides,
}

/// A range of filters, which unlike `Range` can be copied.
#[derive(Clone, Copy)]
pub(super) struct FilterRange {
    pub start: usize,
    pub end: usize,
}

/// A layout with an image and a result that are long enough for it.
#[derive(Clone, Copy)]
pub(super) struct DirectConv<'a> {
    layout: DirectLayout<'a>,
    x: *const f32,
    y: *mut f32,
    borrowed: PhantomData<(&'a [f32], &'a mut [f32])>,
}

impl<'a> DirectConv<'a> {
    /// A convolution of `x`, whose first sum goes to the beginning of `y`.
    ///
    /// # Panics
    /// `x`, `y`, the weights or the bias are too short for the layout.
    #[inline(always)]
    pub(super) fn new(x: &'a [f32], y: &'a mut [f32], layout: DirectLayout<'a>) -> DirectConv<'a> {
        let DirectLayout { filter_lanes, taps, positions: [height, width], steps, panels, range, .. } = layout;
        let FilterBank { w, bias, .. } = layout.filters;
        let last = (height - 1) * steps[0] + (width - 1) * steps[1] + taps.largest();
        // The last vector of positions starts at one of them and ends up to fifteen numbers later.
        assert!(last + if filter_lanes { 0 } else { LANES - 1 } < x.len(), "expected an image that holds all taps");
        assert!(filter_lanes || steps[1] == 1, "expected positions side by side");
        assert!(
            taps.offsets().is_empty() || taps.offsets().len() <= panels.rows() && w.len() >= panels.len(),
            "expected a row of the weights for each tap"
        );
        assert!(
            range.start < range.end && range.end <= panels.cols() && bias.is_none_or(|b| b.len() >= panels.cols()),
            "expected filters of these panels, and a bias for each"
        );
        let is_cut = |at: usize| at.is_multiple_of(Panels::WIDTH) || at == panels.cols();
        assert!(!filter_lanes || is_cut(range.start) && is_cut(range.end), "expected whole panels");
        let last = layout.y_strides.last(range.end - range.start, [height, width]);
        assert!(last < y.len(), "expected room for all sums");
        DirectConv { layout, x: x.as_ptr(), y: y.as_mut_ptr(), borrowed: PhantomData }
    }

    /// How long the sums at as many positions as there are `lanes` of one output take, with `store` for each
    /// to store.
    pub(super) const fn cost(depth: usize, lanes: usize, store: usize) -> usize {
        depth * lanes.next_multiple_of(LANES) + store * lanes
    }

    /// Computes all sums.
    #[inline(always)]
    pub(super) fn run<S: Simd>(self, s: S) {
        // Where size counts before speed, `Conv::filter_lanes` chooses none.
        let by_filters = !cfg!(feature = "small") && self.layout.filter_lanes;
        if by_filters { self.filter_lanes(s) } else { self.position_lanes(s) }
    }

    #[inline(always)]
    fn filter_lanes<S: Simd>(self, s: S) {
        let DirectLayout { positions, range, .. } = self.layout;
        let positions = positions[0] * positions[1];
        let end = range.end.div_ceil(LANES);
        let job = |vector: usize, width: usize| FilterLanes { conv: self, vector, width };
        // The vectors that have a neighbour in their panel, then perhaps one that has none.
        let paired = range.end.next_multiple_of(LANES) / Panels::WIDTH * 2;
        let mut first = range.start / LANES;
        let mut vectors = widest(S::REGISTERS, positions);
        while first < paired {
            while first + vectors > paired {
                vectors /= 2;
            }
            // SAFETY: rows below the number of positions, and `vectors` vectors from `first` on, which end at
            // `paired` at most: `new` has checked that the image, the panels and `y` hold all of these.
            unsafe { for_each_tile(s, job(first, Panels::WIDTH), 0..positions, vectors) };
            first += vectors;
        }
        if first < end {
            // SAFETY: rows below the number of positions, and one vector, below `end`, the last of the last
            // panel of the range: `new` has checked that the image, the panels and `y` hold it.
            unsafe { for_each_tile(s, job(first, LANES), 0..positions, 1) };
        }
    }

    #[inline(always)]
    fn position_lanes<S: Simd>(self, s: S) {
        let DirectLayout { positions, range, .. } = self.layout;
        let per_row = positions[1].div_ceil(LANES);
        let total = positions[0] * per_row;
        let mut filter = range.start;
        while filter < range.end {
            // Filters of one panel, whose weights lie side by side.
            let end = range.end.min((filter / Panels::WIDTH + 1) * Panels::WIDTH);
            let mut vectors = widest(S::REGISTERS, end - filter);
            let mut first = 0;
            while first < total {
                let fitting = (total - first) / vectors * vectors;
                if fitting == 0 {
                    vectors /= 2;
                    continue;
                }
                // SAFETY: rows are filters of the range, and vectors end at `first + fitting`, at most
                // `total`: `new` has checked that the image, fifteen numbers past the last tap included, the
                // panels and `y` hold these.
                unsafe {
                    for_each_tile(
                        s,
                        PositionLanes { conv: self, first, vectors: fitting, per_row },
                        filter..end,
                        vectors,
                    )
                };
                first += fitting;
            }
            filter = end;
        }
    }
}

#[derive(Clone, Copy)]
struct FilterLanes<'a> {
    conv: DirectConv<'a>,
    /// The first of the vectors of filters of the panels.
    vector: usize,
    /// Of the panel it is in.
    width: usize,
}

impl TileKernel for FilterLanes<'_> {
    const WIDEST: usize = 4;
    // With so many rows and two vectors all that a step loads has a register too.
    const TALLEST: usize = 8;

    /// # Safety
    /// `rows` are positions, and `V` vectors from `vector` on are vectors of the panels with filters of the
    /// range.
    #[inline(always)]
    unsafe fn rows<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>) {
        let DirectConv { layout, x: image, y: result, .. } = self.conv;
        let DirectLayout { positions, steps, y_strides, range, panels, .. } = layout;
        let floor = s.splat(layout.filters.floor);
        let flat = y_strides.row == positions[1] && y_strides.col == 1;
        let filter = self.vector * LANES;
        let mut bias = [s.splat(0.0); V];
        if let Some(from) = layout.filters.bias {
            for (v, bias) in bias.iter_mut().enumerate() {
                *bias = s.load_part(&from[(filter + v * LANES).min(from.len())..]);
            }
        }
        let w = layout.filters.w.as_ptr().wrapping_add(panels.offset(self.vector / 2) + self.vector % 2 * LANES);
        for position in rows.step_by(R) {
            let (mut from, mut to) = ([image; R], [0; R]);
            let (mut y, mut x) = (position / positions[1], position % positions[1]);
            for (from, to) in from.iter_mut().zip(&mut to) {
                *from = from.wrapping_add(y * steps[0] + x * steps[1]);
                *to = y * y_strides.row + x * y_strides.col;
                x += 1;
                if x == positions[1] {
                    (y, x) = (y + 1, 0);
                }
            }
            let zero = [[s.splat(0.0); V]; R];
            // SAFETY: each row starts at a position, so with the largest tap it stays below `x.len()`, as
            // `new` has checked; tap n has row n of the panels, of which these are vectors.
            let sums =
                unsafe { accumulate_taps(s, zero, from, layout.taps.offsets(), w, panels.offset(1), self.width) };
            for v in 0..V {
                let first = filter + v * LANES;
                let lanes = range.end.min(first + LANES) - first;
                let at = |j: usize, r: usize| result.wrapping_add((first - range.start + j) * y_strides.plane + to[r]);
                let mut block = [s.splat(0.0); LANES];
                for (r, block) in block.iter_mut().enumerate().take(R) {
                    // The floor first: where the other is NaN, `max` gives the second.
                    *block = s.max(floor, s.add(sums[r][v], bias[v]));
                }
                if y_strides.plane == 1 {
                    for (r, row) in block.into_iter().enumerate().take(R) {
                        // SAFETY: `lanes` filters of the range side by side at a position: at most
                        // `y_strides.last`.
                        s.store_part(row, unsafe { core::slice::from_raw_parts_mut(at(0, r), lanes) });
                    }
                    continue;
                }
                s.transpose(&mut block);
                for (j, row) in block.into_iter().enumerate().take(lanes) {
                    if flat {
                        // SAFETY: filter `first + j` is in the range, and its sums at `R` positions lie side
                        // by side.
                        s.store_part(row, unsafe { core::slice::from_raw_parts_mut(at(j, 0), R) });
                    } else {
                        let mut numbers = [0.0; LANES];
                        s.store(row, &mut numbers);
                        for (r, number) in numbers.into_iter().enumerate().take(R) {
                            // SAFETY: one sum, of a filter of the range at a position: at most
                            // `y_strides.last`.
                            unsafe { *at(j, r) = number };
                        }
                    }
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct PositionLanes<'a> {
    conv: DirectConv<'a>,
    /// The first of the vectors of positions, of which each row of positions has `per_row`.
    first: usize,
    vectors: usize,
    per_row: usize,
}

impl TileKernel for PositionLanes<'_> {
    const WIDEST: usize = 4;
    const TALLEST: usize = 8;

    /// # Safety
    /// `filters` are of the range and of one panel, and the vectors of positions are at most those of all
    /// rows.
    #[inline(always)]
    unsafe fn rows<S: Simd, const R: usize, const V: usize>(self, s: S, filters: Range<usize>) {
        let DirectConv { layout, x: image, y: result, .. } = self.conv;
        let DirectLayout { positions, steps, y_strides, panels, .. } = layout;
        let floor = s.splat(layout.filters.floor);
        let panel = filters.start / Panels::WIDTH;
        let width = panels.width(panel);
        for vector in (self.first..self.first + self.vectors).step_by(V) {
            let (mut from, mut to, mut lanes) = ([image; V], [result; V], [0; V]);
            for v in 0..V {
                let (y, x) = ((vector + v) / self.per_row, (vector + v) % self.per_row * LANES);
                from[v] = from[v].wrapping_add(y * steps[0] + x);
                to[v] = to[v].wrapping_add(y * y_strides.row + x * y_strides.col);
                lanes[v] = (positions[1] - x).min(LANES);
            }
            let from = black_box(from);
            for filter in filters.clone().step_by(R) {
                let mut w = layout.filters.w.as_ptr().wrapping_add(panels.offset(panel) + filter % Panels::WIDTH);
                let mut sums = [[s.splat(0.0); V]; R];
                for tap in layout.taps.offsets() {
                    let at = *tap as usize;
                    let mut loaded = [s.splat(0.0); V];
                    for (loaded, from) in loaded.iter_mut().zip(from) {
                        // SAFETY: a vector that starts at a position ends, with the largest tap, at most
                        // fifteen numbers past the last tap of the last position, below `x.len()` as `new`
                        // has checked.
                        *loaded = unsafe { s.load_ptr(from.wrapping_add(at)) };
                    }
                    for (r, sums) in sums.iter_mut().enumerate() {
                        // SAFETY: filter `filter + r` is a column of this panel, which has a row for each
                        // tap.
                        let weight = s.splat(unsafe { *w.wrapping_add(r) });
                        for (sum, vector) in sums.iter_mut().zip(loaded) {
                            *sum = s.fma(weight, vector, *sum);
                        }
                    }
                    w = w.wrapping_add(width);
                }
                for (r, sums) in sums.into_iter().enumerate() {
                    let bias = s.splat(layout.filters.bias.map_or(0.0, |bias| bias[filter + r]));
                    for (v, sum) in sums.into_iter().enumerate() {
                        let to = to[v].wrapping_add((filter + r - layout.range.start) * y_strides.plane);
                        let value = s.max(floor, s.add(sum, bias));
                        if y_strides.col == 1 {
                            // SAFETY: `lanes` positions of a row side by side, for a filter of the range.
                            s.store_part(value, unsafe { core::slice::from_raw_parts_mut(to, lanes[v]) });
                        } else {
                            let mut row = [0.0; LANES];
                            s.store(value, &mut row);
                            for (x, value) in row.into_iter().enumerate().take(lanes[v]) {
                                // SAFETY: position x of a row of these, for a filter of the range: at most
                                // `last`.
                                unsafe { *to.wrapping_add(x * y_strides.col) = value };
                            }
                        }
                    }
                }
            }
        }
    }
}
