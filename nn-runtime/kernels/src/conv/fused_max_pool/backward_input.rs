//! Backward to the inputs: every gradient of a maximum goes, times its filter, to what the filter saw there.
//! Gradients, positions of maxima and weights come in; gradients of inputs go out, overwritten. Lanes are the
//! channels and columns of a row of the filter, which are contiguous in a copy of the image.

use core::hint::black_box;
use core::marker::PhantomData;

use super::backward_input_few_channels::{FewChannelsInputGrad, ReceptiveField};
use super::nhwc::{FilterLayout, NhwcCopy};
use super::sparse_grads::SparseGrads;
use super::tiles::{FilterRowTiles, tiles};
use super::{ConvMaxPool, MaxPoolGrad};
use crate::simd::{Isa, Kernel, LANE_INDEX, LANES, Simd};

/// `dx[c, i] = Σ_(f, p, ky, kx) w[f, c, ky, kx] · dy[f, p]` over the maxima whose filter saw input i through
/// that weight, for each sample.
///
/// The sum is taken by `fma` in an order that depends on the convolution, the instruction set and where
/// maxima stood alone; a gradient of 0 takes no part, and one that is not finite may reach all that its
/// window sees. `dx` is overwritten, `scratch` left with any numbers.
///
/// # Panics
/// `!conv.can_fuse_max_pool()`; `pool` is not over what comes out of `conv`;
/// `dx.len() != b * conv.x_len() || grad.dy.len() != b * pool.y_len()` for every `b`;
/// `grad.argmax.len() != grad.dy.len()`, or it is not from `forward`; `w.len() != conv.panels().len()`;
/// `scratch.len() < fused.scratch()`.
pub fn backward_input(isa: Isa, fused: ConvMaxPool, grad: MaxPoolGrad, w: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
    fused.check_grad(&grad, dx.len(), scratch.len());
    fused.conv.check_weights(w);
    let fused = fused.capped();
    match ReceptiveField::of(&fused) {
        Some(field) => isa.run(FewChannelsInputGrad { field, grad, w, dx, scratch }),
        None => isa.run(FusedBackwardInput { fused, grad, w, dx, scratch }),
    }
}

struct FusedBackwardInput<'a> {
    fused: ConvMaxPool,
    grad: MaxPoolGrad<'a>,
    w: &'a [f32],
    dx: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Kernel for FusedBackwardInput<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (ConvMaxPool { conv: c, pool }, windows) = (self.fused, self.fused.windows());
        let copy = NhwcCopy::of(&c, 0, c.channels);
        let layout = copy.layout();
        let (weights, scratch) = self.scratch.split_at_mut(c.filters * layout.filter);
        let (memory, sums) = scratch.split_at_mut(SparseGrads::room(pool.y_len(), c.filters));
        let sums = &mut sums[..copy.len()];
        copy.pack(s, self.w, &(0..self.w.len()), 0..c.filters, layout, weights);
        let vectors = copy.run().div_ceil(LANES);
        // A vector that ends before its lanes do goes along with the one before.
        let whole = if copy.run().is_multiple_of(LANES) { vectors } else { vectors.saturating_sub(2) };
        let samples = self.grad.dy.chunks_exact(pool.y_len()).zip(self.grad.argmax.chunks_exact(pool.y_len()));
        for (dx, (dy, argmax)) in self.dx.chunks_exact_mut(c.x_len()).zip(samples) {
            sums.fill(0.0);
            let sparse = SparseGrads::of(s, dy, argmax, windows, copy.places(), memory);
            // SAFETY: every place of `sparse` is below `copy.places().end`, from which all rows, whole
            // vectors each, end within `copy.len()`, the length of `sums`; `weights` has `layout.filter`
            // numbers for each of the filters.
            let job = unsafe { RowScatter::new(sparse, weights, layout, sums, copy) };
            // SAFETY: the rows are those of the kernel, and the vectors those of a row.
            unsafe {
                tiles(s, WholeVectors(job), c.kernel[0], 0..whole);
                tiles(s, LastVectors { job, vectors }, c.kernel[0], whole..vectors);
            }
            copy.extract(s, sums, dx);
        }
    }
}

/// What some rows of all filters send to the inputs.
#[derive(Clone, Copy)]
struct RowScatter<'a> {
    sparse: SparseGrads<'a>,
    w: *const f32,
    layout: FilterLayout,
    sums: *mut f32,
    /// From one row to the next of what was seen.
    row_step: usize,
    /// Of the last vector of a row, where it is a part.
    lanes: usize,
    borrowed: PhantomData<(&'a [f32], &'a mut [f32])>,
}

impl<'a> RowScatter<'a> {
    /// # Safety
    /// For each place of `sparse`, `place + (kernel rows - 1)·row_step + row_len <= sums.len()`, where `copy`
    /// gives kernel rows, `row_step` and `row_len`.
    ///
    /// # Panics
    /// `w` does not have a filter of this layout for each of `sparse`.
    #[inline(always)]
    unsafe fn new(
        sparse: SparseGrads<'a>,
        w: &'a [f32],
        layout: FilterLayout,
        sums: &'a mut [f32],
        copy: NhwcCopy,
    ) -> RowScatter<'a> {
        assert!(w.len() >= sparse.filter_count() * layout.filter, "expected weights for each filter");
        RowScatter {
            sparse,
            w: w.as_ptr(),
            layout,
            sums: sums.as_mut_ptr(),
            row_step: copy.row_step(),
            lanes: copy.run() % LANES,
            borrowed: PhantomData,
        }
    }
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

impl FilterRowTiles for WholeVectors<'_> {
    // Kernels have mostly three rows or five.
    const SHAPES: &'static [(usize, usize)] = &[(3, 6), (5, 2), (3, 2), (1, 2), (3, 1), (1, 1)];

    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const V: usize>(self, s: S, row: usize, vector: usize) {
        // SAFETY: the caller's rows and vectors are of this job, whose vectors are all whole.
        unsafe { self.0.tile::<S, R, V, false>(s, row, vector, LANES) }
    }
}

impl FilterRowTiles for LastVectors<'_> {
    const SHAPES: &'static [(usize, usize)] = &[(3, 2), (1, 2), (3, 1), (1, 1)];

    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const V: usize>(self, s: S, row: usize, vector: usize) {
        let lanes = if vector + V == self.vectors { self.job.lanes } else { LANES };
        // SAFETY: the caller's rows and vectors are of this job.
        unsafe { self.job.tile::<S, R, V, true>(s, row, vector, lanes) }
    }
}

impl RowScatter<'_> {
    /// # Safety
    /// Rows from `row` up to `row + R` are of the kernel, and vectors up to `vector + V` of a row. Where
    /// `PART`, the last has `lanes` lanes; the others are read, and written as they were.
    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const V: usize, const PART: bool>(
        self,
        s: S,
        row: usize,
        vector: usize,
        lanes: usize,
    ) {
        let there = s.lt_i(s.load_i(&LANE_INDEX), s.splat_i(lanes as i32));
        let mut to = [self.sums.wrapping_add(vector * LANES); R];
        for (r, to) in to.iter_mut().enumerate() {
            *to = to.wrapping_add((row + r) * self.row_step);
        }
        // As in `micro`: the compiler must not work these out anew in every step.
        let to = black_box(to);
        let mut w = self.w.wrapping_add(row * self.layout.row + vector * LANES);
        for (places, gradients) in self.sparse.filters() {
            let mut weights = [[s.splat(0.0); V]; R];
            for (r, weights) in weights.iter_mut().enumerate() {
                for (v, weight) in weights.iter_mut().enumerate() {
                    // SAFETY: row and vector of a filter, which ends at `layout.filter`; `new` has checked
                    // all of them.
                    *weight = unsafe { s.load_ptr(w.wrapping_add(r * self.layout.row + v * LANES)) };
                }
            }
            for (place, dy) in places.iter().zip(gradients) {
                let (place, dy) = (*place as usize, s.splat(*dy));
                for (to, weights) in to.iter().zip(weights) {
                    for (v, weight) in weights.into_iter().enumerate() {
                        let to = to.wrapping_add(place + v * LANES);
                        // SAFETY: a vector of a row that is seen from a place: it ends within `sums`, by
                        // `new`.
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
            w = w.wrapping_add(self.layout.filter);
        }
    }
}
