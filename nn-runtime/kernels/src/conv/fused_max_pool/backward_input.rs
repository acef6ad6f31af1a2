//! Backward to the inputs: every gradient of a maximum goes, times its filter, to what the filter saw there.
//! Comes in: gradients of maxima, where these stood, and weights; goes out: gradients of inputs, overwritten.
//! Lanes are the channels and columns of a row of the filter, which lie side by side in a copy of the image.

use core::hint::black_box;

use super::super::Conv;
use super::super::padded::offset;
use super::nhwc::{NhwcCopy, FilterLayout};
use super::backward_input_few_channels::{FewChannelsInputGrad, ReceptiveField};
use super::tiles::{RowTiles, tiles};
use super::{MaxPoolGrad, SparseGrads};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// `dx[c, i] = Σ_(f, p, ky, kx) w[f, c, ky, kx] · dy[f, p]` over the maxima whose filter saw input i through that weight, for each
/// sample.
///
/// The sum is taken by `fma` in an order that depends on the convolution, the instruction set and where maxima stood alone; a gradient
/// of 0 takes no part, and one that is not finite may reach all that its window sees. `dx` is overwritten, `scratch` left with any
/// numbers.
///
/// # Panics
/// `!c.can_fuse_max_pool()`; `m.pool` is not over what comes out of `c`; `dx.len() != b * c.x_len() || m.dy.len() != b * m.pool.y_len()` for
/// every `b`; `m.at.len() != m.dy.len()`, or it is not from `forward`; `w.len() != c.panels().len()`;
/// `scratch.len() < c.fused_max_pool_scratch(&m.pool)`.
pub fn backward_input(isa: Isa, c: Conv, m: MaxPoolGrad, w: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
    m.check(&c, dx.len(), scratch.len());
    c.check_weights(w);
    match ReceptiveField::of(&c, &m.pool) {
        Some(region) => isa.run(FewChannelsInputGrad { region, m, kept: c.leaps(), w, dx, scratch }),
        None => isa.run(FusedBackwardInput { c, m, w, dx, scratch }),
    }
}

struct FusedBackwardInput<'a> {
    c: Conv,
    m: MaxPoolGrad<'a>,
    w: &'a [f32],
    dx: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Kernel for FusedBackwardInput<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (c, windows) = (self.c, self.m.windows());
        let grid = NhwcCopy::of(&c, 0, c.channels);
        let (weights, scratch) = self.scratch.split_at_mut(c.filters * grid.weights());
        let (memory, sums) = scratch.split_at_mut(SparseGrads::room(self.m.pool.y_len(), c.filters));
        let sums = &mut sums[..grid.len()];
        let rows = FilterLayout { filter: grid.weights(), row: grid.pitch() };
        grid.lay(s, self.w, &(0..self.w.len()), 0..c.filters, rows, weights);
        let vectors = grid.run().div_ceil(LANES);
        // A vector that ends before its lanes do goes along with the one before.
        let whole = if grid.run().is_multiple_of(LANES) { vectors } else { vectors.saturating_sub(2) };
        let samples = self.m.dy.chunks_exact(self.m.pool.y_len()).zip(self.m.at.chunks_exact(self.m.pool.y_len()));
        for (dx, (dy, at)) in self.dx.chunks_exact_mut(c.x_len()).zip(samples) {
            sums.fill(0.0);
            let passing = SparseGrads::of(s, dy, at, windows, [grid.pixel(), grid.places()], memory);
            let job = RowScatter {
                passing,
                w: weights.as_ptr(),
                rows,
                sums: sums.as_mut_ptr(),
                row: grid.row(),
                lanes: grid.run() % LANES,
            };
            // SAFETY: all rows of what was seen from a place before the end lie within the sums, with a vector more behind them; each filter
            // has as many, whole vectors a row.
            unsafe {
                tiles(s, WholeVectors(job), c.kernel[0], 0..whole);
                tiles(s, LastVectors { job, vectors }, c.kernel[0], whole..vectors);
            }
            grid.take(s, sums, dx);
        }
    }
}

/// What some rows of all filters send to the inputs.
#[derive(Clone, Copy)]
struct RowScatter<'a> {
    passing: SparseGrads<'a>,
    w: *const f32,
    rows: FilterLayout,
    sums: *mut f32,
    /// From one row to the next of what was seen.
    row: usize,
    /// Of the last vector of a row, where it is a part.
    lanes: usize,
}

/// All lanes are there.
#[derive(Clone, Copy)]
struct WholeVectors<'a>(RowScatter<'a>);

/// The last of the vectors ends before its lanes do.
#[derive(Clone, Copy)]
struct LastVectors<'a> {
    job: RowScatter<'a>,
    vectors: usize,
}

impl RowTiles for WholeVectors<'_> {
    // Kernels have mostly three rows or five.
    const SHAPES: &'static [(usize, usize)] = &[(3, 6), (5, 2), (3, 2), (1, 2), (3, 1), (1, 1)];

    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const V: usize>(self, s: S, row: usize, vector: usize) {
        // SAFETY: the caller vouches for it.
        unsafe { self.0.tile::<S, R, V, false>(s, row, vector, LANES) }
    }
}

impl RowTiles for LastVectors<'_> {
    const SHAPES: &'static [(usize, usize)] = &[(3, 2), (1, 2), (3, 1), (1, 1)];

    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const V: usize>(self, s: S, row: usize, vector: usize) {
        let lanes = if vector + V == self.vectors { self.job.lanes } else { LANES };
        // SAFETY: the caller vouches for it.
        unsafe { self.job.tile::<S, R, V, true>(s, row, vector, lanes) }
    }
}

impl RowScatter<'_> {
    /// # Safety
    /// As for [`RowTiles::tile`], with `lanes` lanes in the last vector where `PART`; the others are read, and written as they were.
    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const V: usize, const PART: bool>(
        self,
        s: S,
        row: usize,
        vector: usize,
        lanes: usize,
    ) {
        const LANE: [i32; LANES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let there = s.lt_i(s.load_i(&LANE), s.splat_i(lanes as i32));
        let mut to = [self.sums.wrapping_add(vector * LANES); R];
        for (r, to) in to.iter_mut().enumerate() {
            *to = to.wrapping_add((row + r) * self.row);
        }
        // As in `micro`: the compiler must not work these out anew in every step.
        let to = black_box(to);
        let mut w = self.w.wrapping_add(row * self.rows.row + vector * LANES);
        for (places, gradients) in self.passing.filters() {
            let mut weights = [[s.splat(0.0); V]; R];
            for (r, weights) in weights.iter_mut().enumerate() {
                for (v, weight) in weights.iter_mut().enumerate() {
                    // SAFETY: each filter has whole vectors of these rows.
                    *weight = unsafe { s.load_ptr(w.wrapping_add(r * self.rows.row + v * LANES)) };
                }
            }
            for (place, dy) in places.iter().zip(gradients) {
                let (place, dy) = (offset(*place), s.splat(*dy));
                for (to, weights) in to.iter().zip(weights) {
                    for (v, weight) in weights.into_iter().enumerate() {
                        let to = to.wrapping_add(place + v * LANES);
                        // SAFETY: the caller vouches for the sums of what was seen from each place.
                        unsafe {
                            let before = s.load_ptr(to);
                            let sum = s.fma(weight, dy, before);
                            // What is stored whole can be loaded again at once, wherever the next place is.
                            let sum = if PART && v + 1 == V { s.select(there, sum, before) } else { sum };
                            s.store_ptr(sum, to);
                        }
                    }
                }
            }
            w = w.wrapping_add(self.rows.filter);
        }
    }
}
