//! Weighted sums of what a window sees, at every place of a grid, for a number of columns of weights.
//! Comes in: a sheet, offsets from a place to what its window sees, weights; goes out: sums plus bias, cut off at a floor.
//! Lanes are columns, or places side by side: which of them changes the speed, and no bit.

use core::hint::black_box;
use core::ops::Range;

use super::sheet::{Spread, offset};
use crate::matrix::Panels;
use crate::micro::{TileKernel, TileSums, for_each_tile, widest};
use crate::simd::{LANES, Simd};

/// Goes on with the chains of `sums` over a table of offsets: row r is broadcast from `rows[r]`, vectors start at `vectors`, two side
/// by side, pairs of them `pair` apart, `step` from one entry to the next.
///
/// # Safety
/// Every row can be read at every offset, and every vector at every step.
#[inline(always)]
pub(super) unsafe fn walk<S: Simd, const R: usize, const V: usize>(
    s: S,
    mut sums: TileSums<S, R, V>,
    rows: [*const f32; R],
    table: &[f32],
    mut vectors: *const f32,
    pair: usize,
    step: usize,
) -> TileSums<S, R, V> {
    // As in `micro`: the compiler must not work these out anew in every step.
    let rows = black_box(rows);
    for entry in table {
        let at = offset(*entry);
        let mut loaded = [s.splat(0.0); V];
        for (v, loaded) in loaded.iter_mut().enumerate() {
            // SAFETY: the caller vouches for the vector.
            *loaded = unsafe { s.load_ptr(vectors.wrapping_add(v / 2 * pair + v % 2 * LANES)) };
        }
        for (sums, row) in sums.iter_mut().zip(rows) {
            // SAFETY: the caller vouches for the number.
            let x = s.splat(unsafe { *row.wrapping_add(at) });
            for (sum, vector) in sums.iter_mut().zip(loaded) {
                *sum = s.fma(x, vector, *sum);
            }
        }
        vectors = vectors.wrapping_add(step);
    }
    sums
}

/// The sums of a grid of places.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    /// What the window at place (0, 0) is counted from.
    pub x: *const f32,
    /// From a place to what its window sees, one for each row of the weights.
    pub taps: &'a [f32],
    /// Rows and columns of places.
    pub grid: [usize; 2],
    /// From one place to the next below and to the right.
    pub steps: [usize; 2],
    pub w: &'a [f32],
    pub panels: Panels,
    /// The columns of the weights that are asked for.
    pub columns: Range32,
    /// Of all columns of the panels.
    pub bias: Option<&'a [f32]>,
    pub floor: f32,
    /// Where the sum of the first column asked for and place (0, 0) goes.
    pub y: *mut f32,
    pub spread: Spread,
}

/// A range that can be copied.
#[derive(Clone, Copy)]
pub(super) struct Range32 {
    pub start: usize,
    pub end: usize,
}

impl Window<'_> {
    /// Whether columns make the better lanes: full vectors count, and results on their side. `columns_last` says whether columns lie
    /// side by side in the result, if they are the lanes, and if they are not.
    pub(super) const fn prefers_columns(depth: usize, columns: usize, width: usize, columns_last: [bool; 2]) -> bool {
        let by_columns = depth * columns.next_multiple_of(LANES) + if columns_last[0] { 2 } else { 16 } * columns;
        let by_places = depth * width.next_multiple_of(LANES) + if columns_last[1] { 16 } else { 4 } * width;
        by_columns * width < by_places * columns
    }

    /// Computes the sums with the columns as lanes.
    ///
    /// # Safety
    /// Every window of the grid can be read and every sum written, and the columns start and end with panels.
    #[inline(always)]
    pub(super) unsafe fn by_columns<S: Simd>(self, s: S) {
        let places = self.grid[0] * self.grid[1];
        let end = self.columns.end.div_ceil(LANES);
        let job = |vector: usize, width: usize| ByColumns { window: self, vector, width };
        // The vectors that have a neighbour in their panel, then perhaps one that has none.
        let paired = self.columns.end.next_multiple_of(LANES) / Panels::WIDTH * 2;
        let mut first = self.columns.start / LANES;
        let mut vectors = widest(S::REGISTERS, places);
        while first < paired {
            while first + vectors > paired {
                vectors /= 2;
            }
            // SAFETY: the caller vouches for all sums.
            unsafe { for_each_tile(s, job(first, Panels::WIDTH), 0..places, vectors) };
            first += vectors;
        }
        if first < end {
            // SAFETY: the caller vouches for all sums.
            unsafe { for_each_tile(s, job(first, LANES), 0..places, 1) };
        }
    }

    /// Computes the sums with places of one row as lanes.
    ///
    /// # Safety
    /// Every window of the grid can be read, and fifteen numbers beyond what it sees; every sum can be written; the step to the
    /// right is 1.
    #[inline(always)]
    pub(super) unsafe fn by_places<S: Simd>(self, s: S) {
        let per_row = self.grid[1].div_ceil(LANES);
        let total = self.grid[0] * per_row;
        let mut column = self.columns.start;
        while column < self.columns.end {
            // Columns of one panel, which lie side by side.
            let end = self.columns.end.min((column / Panels::WIDTH + 1) * Panels::WIDTH);
            let mut vectors = widest(S::REGISTERS, end - column);
            let mut first = 0;
            while first < total {
                let fitting = (total - first) / vectors * vectors;
                if fitting == 0 {
                    vectors /= 2;
                    continue;
                }
                // SAFETY: the caller vouches for all sums.
                unsafe {
                    for_each_tile(s, ByPlaces { window: self, first, vectors: fitting, per_row }, column..end, vectors)
                };
                first += fitting;
            }
            column = end;
        }
    }
}

#[derive(Clone, Copy)]
struct ByColumns<'a> {
    window: Window<'a>,
    /// The first of the vectors of columns of the panels.
    vector: usize,
    /// Of the panel it is in.
    width: usize,
}

impl TileKernel for ByColumns<'_> {
    const WIDEST: usize = 4;
    // With so many rows and two vectors all that a step loads has a register too.
    const TALLEST: usize = 8;

    #[inline(always)]
    unsafe fn rows<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>) {
        let Window { grid, steps, columns, spread, .. } = self.window;
        let floor = s.splat(self.window.floor);
        let flat = spread.row == grid[1] && spread.col == 1;
        let column = self.vector * LANES;
        let mut bias = [s.splat(0.0); V];
        if let Some(from) = self.window.bias {
            for (v, bias) in bias.iter_mut().enumerate() {
                *bias = s.load_part(&from[(column + v * LANES).min(from.len())..]);
            }
        }
        let panels = self.window.panels;
        let w = self.window.w.as_ptr().wrapping_add(panels.offset(self.vector / 2) + self.vector % 2 * LANES);
        for place in rows.step_by(R) {
            let (mut from, mut to) = ([self.window.x; R], [0; R]);
            let (mut y, mut x) = (place / grid[1], place % grid[1]);
            for (from, to) in from.iter_mut().zip(&mut to) {
                *from = from.wrapping_add(y * steps[0] + x * steps[1]);
                *to = y * spread.row + x * spread.col;
                x += 1;
                if x == grid[1] {
                    (y, x) = (y + 1, 0);
                }
            }
            let zero = [[s.splat(0.0); V]; R];
            // SAFETY: the caller vouches for the windows; each tap has its row in the panels.
            let sums = unsafe { walk(s, zero, from, self.window.taps, w, panels.offset(1), self.width) };
            for v in 0..V {
                let from = column + v * LANES;
                let lanes = columns.end.min(from + LANES) - from;
                let at =
                    |j: usize, r: usize| self.window.y.wrapping_add((from - columns.start + j) * spread.plane + to[r]);
                let mut block = [s.splat(0.0); LANES];
                for (r, block) in block.iter_mut().enumerate().take(R) {
                    // The floor first: where the other is NaN, `max` gives the second.
                    *block = s.max(floor, s.add(sums[r][v], bias[v]));
                }
                if spread.plane == 1 {
                    for (r, row) in block.into_iter().enumerate().take(R) {
                        // SAFETY: the caller vouches for the sums of these columns, which lie side by side.
                        s.store_part(row, unsafe { core::slice::from_raw_parts_mut(at(0, r), lanes) });
                    }
                    continue;
                }
                s.transpose(&mut block);
                for (j, row) in block.into_iter().enumerate().take(lanes) {
                    if flat {
                        // SAFETY: the caller vouches for the sums of these places, which lie side by side.
                        s.store_part(row, unsafe { core::slice::from_raw_parts_mut(at(j, 0), R) });
                    } else {
                        let mut numbers = [0.0; LANES];
                        s.store(row, &mut numbers);
                        for (r, number) in numbers.into_iter().enumerate().take(R) {
                            // SAFETY: the caller vouches for this sum.
                            unsafe { *at(j, r) = number };
                        }
                    }
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct ByPlaces<'a> {
    window: Window<'a>,
    /// The first of the vectors of places, of which each row of the grid has `per_row`.
    first: usize,
    vectors: usize,
    per_row: usize,
}

impl TileKernel for ByPlaces<'_> {
    const WIDEST: usize = 4;
    const TALLEST: usize = 8;

    #[inline(always)]
    unsafe fn rows<S: Simd, const R: usize, const V: usize>(self, s: S, columns: Range<usize>) {
        let Window { grid, steps, spread, panels, .. } = self.window;
        let floor = s.splat(self.window.floor);
        let panel = columns.start / Panels::WIDTH;
        let width = panels.width(panel);
        for vector in (self.first..self.first + self.vectors).step_by(V) {
            let (mut from, mut to, mut lanes) = ([self.window.x; V], [self.window.y; V], [0; V]);
            for v in 0..V {
                let (y, x) = ((vector + v) / self.per_row, (vector + v) % self.per_row * LANES);
                from[v] = from[v].wrapping_add(y * steps[0] + x);
                to[v] = to[v].wrapping_add(y * spread.row + x * spread.col);
                lanes[v] = (grid[1] - x).min(LANES);
            }
            let from = black_box(from);
            for column in columns.clone().step_by(R) {
                let mut w = self.window.w.as_ptr().wrapping_add(panels.offset(panel) + column % Panels::WIDTH);
                let mut sums = [[s.splat(0.0); V]; R];
                for tap in self.window.taps {
                    let at = offset(*tap);
                    let mut loaded = [s.splat(0.0); V];
                    for (loaded, from) in loaded.iter_mut().zip(from) {
                        // SAFETY: the caller vouches for what the window sees, and fifteen numbers beyond.
                        *loaded = unsafe { s.load_ptr(from.wrapping_add(at)) };
                    }
                    for (r, sums) in sums.iter_mut().enumerate() {
                        // SAFETY: each tap has its row in the panels, and the columns are in this one.
                        let weight = s.splat(unsafe { *w.wrapping_add(r) });
                        for (sum, vector) in sums.iter_mut().zip(loaded) {
                            *sum = s.fma(weight, vector, *sum);
                        }
                    }
                    w = w.wrapping_add(width);
                }
                for (r, sums) in sums.into_iter().enumerate() {
                    let bias = s.splat(self.window.bias.map_or(0.0, |bias| bias[column + r]));
                    for (v, sum) in sums.into_iter().enumerate() {
                        let to = to[v].wrapping_add((column + r - self.window.columns.start) * spread.plane);
                        let value = s.max(floor, s.add(sum, bias));
                        if spread.col == 1 {
                            // SAFETY: the caller vouches for the sums of these places, which lie side by side.
                            s.store_part(value, unsafe { core::slice::from_raw_parts_mut(to, lanes[v]) });
                        } else {
                            let mut row = [0.0; LANES];
                            s.store(value, &mut row);
                            for (x, value) in row.into_iter().enumerate().take(lanes[v]) {
                                // SAFETY: the caller vouches for this sum.
                                unsafe { *to.wrapping_add(x * spread.col) = value };
                            }
                        }
                    }
                }
            }
        }
    }
}
