//! Backward to the weights: every gradient of a maximum adds, times what the filter saw there, to the
//! filter's. Images, gradients and positions of maxima come in; the gradients of a part of the weights'
//! storage go out, its padding left as it is. Lanes are the channels and columns of a row of the filter, or
//! where it is small windows.

use core::hint::black_box;
use core::marker::PhantomData;
use core::ops::Range;

use super::backward_weight_few_channels::FewChannelsWeightGrad;
use super::nhwc::{FilterLayout, NhwcCopy};
use super::sparse_grads::SparseGrads;
use super::tiles::{FilterRowTiles, tiles};
use super::{ConvMaxPool, MaxPoolGrad};
use crate::compensated::{ChainedTile, SUM_CHUNK};
use crate::matrix::Panels;
use crate::simd::{Isa, Kernel, LANES, Simd};

/// `dw[f, c, ky, kx] += Σ_(s, p) dy[s, f, p] · x[s, c, p·stride − pad + k·dilation]` over the positions p of
/// maxima, for the part `range` of the storage.
///
/// Each sum is one chain of `fma` from the first window of the first sample on, starting at what is there;
/// or, where filters see few channels, the sum over the windows of a sample is taken in sixteen lanes, and
/// added to what is there. A gradient of 0 takes no part. `scratch` is left with any numbers.
///
/// # Panics
/// `!conv.can_fuse_max_pool()`; `pool` is not over what comes out of `conv`; `x.len() != b * conv.x_len() ||
/// grad.dy.len() != b * pool.y_len()` for every `b`; `grad.argmax.len() != grad.dy.len()`, or it is not from
/// `forward`; `dw.len() != range.len()`; `range.end > conv.panels().len()`; `range.start` is no multiple of
/// [`Panels::SPLIT_ALIGN`], or `range.end` neither that nor the whole length; `scratch.len() <
/// fused.scratch()`.
pub fn backward_weight(
    isa: Isa,
    fused: ConvMaxPool,
    x: &[f32],
    grad: MaxPoolGrad,
    range: Range<usize>,
    dw: &mut [f32],
    scratch: &mut [f32],
) {
    fused.check_grad(&grad, x.len(), scratch.len());
    fused.conv.check_range(&range, dw);
    isa.run(FusedBackwardWeight { fused: fused.capped(), x, grad, range, dw, scratch });
}

struct FusedBackwardWeight<'a> {
    fused: ConvMaxPool,
    x: &'a [f32],
    grad: MaxPoolGrad<'a>,
    range: Range<usize>,
    dw: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Kernel for FusedBackwardWeight<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let c = self.fused.conv;
        let panels = c.panels();
        if self.range.is_empty() {
            return;
        }
        if let Some(few) = FewChannelsWeightGrad::of(&self.fused) {
            // A filter is a few vectors: there is nothing to gain from a part of it.
            let filters = |at: usize| at / (Panels::WIDTH * panels.rows()) * Panels::WIDTH;
            let end = filters(self.range.end.next_multiple_of(Panels::WIDTH * panels.rows())).min(c.filters);
            self.few_channels(s, few, filters(self.range.start).min(end)..end);
            return;
        }
        // The panels of which something is asked, and the channels, which are some only where that is one
        // panel.
        let panel = |at: usize| (at / (Panels::WIDTH * panels.rows())).min(panels.count());
        let asked = panel(self.range.start)..panel(self.range.end + Panels::WIDTH * panels.rows() - 1);
        let mut channels = 0..c.channels;
        if asked.len() == 1 {
            let (start, width) = (panels.offset(asked.start), panels.width(asked.start));
            // A panel starts at a multiple of 32, as every cut is one: so cuts fall between rows.
            let row = |at: usize| ((at - start) / width).min(panels.rows());
            let of_channel = c.kernel[0] * c.kernel[1];
            channels = row(self.range.start) / of_channel..row(self.range.end).div_ceil(of_channel);
        }
        let filters = asked.start * Panels::WIDTH..c.filters.min(asked.end * Panels::WIDTH);
        self.rows(s, NhwcCopy::of(&c, channels.start, channels.end), filters);
    }
}

impl FusedBackwardWeight<'_> {
    /// The gradients of some filters, a row of what they see at a time.
    #[inline(always)]
    fn rows<S: Simd>(&mut self, s: S, copy: NhwcCopy, filters: Range<usize>) {
        let (ConvMaxPool { conv: c, pool }, grad, windows) = (self.fused, self.grad, self.fused.windows());
        let layout = copy.layout();
        let (sums, scratch) = self.scratch.split_at_mut(filters.len() * layout.filter);
        let (memory, image) = scratch.split_at_mut(SparseGrads::room(filters.len() * windows, filters.len()));
        let image = &mut image[..copy.len()];
        image.fill(0.0);
        copy.pack(s, self.dw, &self.range, filters.clone(), layout, sums);
        let maxima = grad.dy.chunks_exact(pool.y_len()).zip(grad.argmax.chunks_exact(pool.y_len()));
        let vectors = copy.row_len() / LANES;
        for (x, (dy, argmax)) in self.x.chunks_exact(c.x_len()).zip(maxima) {
            copy.fill(s, x, image);
            let asked = filters.start * windows..filters.end * windows;
            let sparse = SparseGrads::of(s, &dy[asked.clone()], &argmax[asked], windows, copy.places(), memory);
            // SAFETY: every place of `sparse` is below `copy.places().end`, from which all rows, whole
            // vectors each, end within `copy.len()`, the length of `image`.
            let job = unsafe { RowGrads::new(sparse, image, copy, sums, layout) };
            // SAFETY: the rows are those of the kernel, and the vectors those of a row.
            unsafe { tiles(s, job, c.kernel[0], 0..vectors) };
        }
        copy.unpack(s, sums, layout, filters, &self.range, self.dw);
    }

    /// The gradients of some filters, sixteen windows at a time.
    #[inline(always)]
    fn few_channels<S: Simd>(&mut self, s: S, few: FewChannelsWeightGrad, filters: Range<usize>) {
        let c = self.fused.conv;
        let of_channel = filters.len() * few.filter_len();
        let (sums, memory) = self.scratch.split_at_mut(c.channels * of_channel);
        let layout = FilterLayout { filter: few.filter_len(), row: c.kernel[1] };
        for (channel, sums) in sums.chunks_exact_mut(of_channel).enumerate() {
            let copy = NhwcCopy::of(&c, channel, channel + 1);
            copy.pack(s, self.dw, &self.range, filters.clone(), layout, sums);
        }
        few.add(s, self.x, self.grad, filters.start, sums, memory);
        for (channel, sums) in sums.chunks_exact(of_channel).enumerate() {
            let copy = NhwcCopy::of(&c, channel, channel + 1);
            copy.unpack(s, sums, layout, filters.clone(), &self.range, self.dw);
        }
    }
}

/// The gradients of some rows of all filters.
#[derive(Clone, Copy)]
struct RowGrads<'a> {
    sparse: SparseGrads<'a>,
    x: *const f32,
    /// From one row to the next of what is seen.
    row_step: usize,
    sums: *mut f32,
    layout: FilterLayout,
    borrowed: PhantomData<(&'a [f32], &'a mut [f32])>,
}

impl<'a> RowGrads<'a> {
    /// # Safety
    /// For each place of `sparse`, `place + (kernel rows - 1)·row_step + row_len <= x.len()`, where `copy`
    /// gives kernel rows, `row_step` and `row_len`.
    ///
    /// # Panics
    /// `sums` does not have a filter of this layout for each of `sparse`.
    #[inline(always)]
    unsafe fn new(
        sparse: SparseGrads<'a>,
        x: &'a [f32],
        copy: NhwcCopy,
        sums: &'a mut [f32],
        layout: FilterLayout,
    ) -> RowGrads<'a> {
        assert!(sums.len() >= sparse.filter_count() * layout.filter, "expected gradients for each filter");
        RowGrads {
            sparse,
            x: x.as_ptr(),
            row_step: copy.row_step(),
            sums: sums.as_mut_ptr(),
            layout,
            borrowed: PhantomData,
        }
    }
}

impl FilterRowTiles for RowGrads<'_> {
    // Kernels have mostly three rows or five.
    const SHAPES: &'static [(usize, usize)] = &[(3, 6), (5, 2), (3, 2), (1, 2), (3, 1), (1, 1)];

    /// # Safety
    /// Rows from `row` up to `row + R` are of the kernel, and vectors up to `vector + V` of a row.
    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const V: usize>(self, s: S, row: usize, vector: usize) {
        let mut from = [self.x.wrapping_add(vector * LANES); R];
        for (r, from) in from.iter_mut().enumerate() {
            *from = from.wrapping_add((row + r) * self.row_step);
        }
        // As in `micro`: the compiler must not work these out anew in every step.
        let from = black_box(from);
        let mut to = self.sums.wrapping_add(row * self.layout.row + vector * LANES);
        for (places, gradients) in self.sparse.filters() {
            let at = |r: usize, v: usize| to.wrapping_add(r * self.layout.row + v * LANES);
            let mut total = ChainedTile::<S, R, V>::zero(s, places.len());
            for (places, gradients) in places.chunks(SUM_CHUNK).zip(gradients.chunks(SUM_CHUNK)) {
                let mut sums = [[s.splat(0.0); V]; R];
                for (place, dy) in places.iter().zip(gradients) {
                    let (place, dy) = (*place as usize, s.splat(*dy));
                    for (sums, from) in sums.iter_mut().zip(from) {
                        for (v, sum) in sums.iter_mut().enumerate() {
                            // SAFETY: a vector of a row that is seen from a place: it ends within `x`, by
                            // `new`.
                            let x = unsafe { s.load_ptr(from.wrapping_add(place + v * LANES)) };
                            *sum = s.fma(x, dy, *sum);
                        }
                    }
                }
                total.add(s, sums);
            }
            for (r, sums) in total.totals().into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    // SAFETY: row and vector of a filter, which ends at `layout.filter`; `new` has checked
                    // all of them, and borrowed them mutably.
                    unsafe { s.store_ptr(s.add(s.load_ptr(at(r, v)), sum), at(r, v)) };
                }
            }
            to = to.wrapping_add(self.layout.filter);
        }
    }
}
