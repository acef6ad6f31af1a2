//! Forward: each sample times the weights, plus a bias, cut off at a floor.
//! In: samples, weights in panels. Out: outputs, one row a sample, without the padding of panels.

use core::ops::Range;

use super::Panels;
use super::few_products::FewProducts;
use super::product_args::{CHAIN, CHAIN_GROUP, LONG_CHAIN, Product};
use super::product_one::ProductOfOne;
use super::product_transposed::TransposedProduct;
use crate::compensated::ChainedTile;
use crate::micro::{Broadcast, Depth, PanelVectors, TileKernel, accumulate, for_each_tile, widest};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// `y[s, j] = max(Σ_i x[s, i] · w[i, j] + bias[j], floor)`, for `x` of `[b, rows]` and `y` of `[b, cols]`.
///
/// The sum is one chain of `fma` from i = 0 on, starting at 0; of 32 to 128 inputs it is two, of even and of
/// odd i; with a [transposed](Panels::transposed) matrix it is sixteen, of every sixteenth i, whose results
/// are added pairwise. Of more than 4,096 inputs it is chains of 32, of which eight are added, and these sums
/// with what rounding loses. The bias comes last. A NaN stays NaN, whatever the floor; `floor =
/// f32::NEG_INFINITY` cuts off nothing, `0.0` gives a rectified layer.
///
/// ```
/// use nn_kernels::{matrix::{Panels, product}, simd::Isa};
/// let panels = Panels::new(2, 1);
/// let (mut w, mut y) = ([0.0; 32], [0.0; 2]);
/// panels.pack(&[1.0, -2.0], &mut w);
/// product(Isa::detect(), panels, &[3.0, 1.0, 0.0, 1.0], &w, Some(&[0.5]), 0.0, &mut y);
/// assert_eq!(y, [1.5, 0.0]);
/// ```
///
/// # Panics
/// `x.len() != b * rows || y.len() != b * cols` for every `b`; `w.len() != p.len()`; `bias.len() != cols`.
pub fn product(isa: Isa, p: Panels, x: &[f32], w: &[f32], bias: Option<&[f32]>, floor: f32, y: &mut [f32]) {
    let batch = p.batch(x, y);
    p.check_storage(w);
    if let Some(bias) = bias {
        assert!(bias.len() == p.cols, "expected a bias of {} numbers, found {}", p.cols, bias.len());
    }
    let product = Product { p, batch, x, w, bias, floor, y };
    if FewProducts::takes(&product) {
        return isa.run(FewProducts(product));
    }
    isa.run(product);
}

#[cfg(feature = "alloc")]
impl Product<'_> {
    /// The same within a kernel.
    #[inline(always)]
    pub fn call<S: Simd>(self, s: S) {
        if FewProducts::takes(&self) { FewProducts(self).run(s) } else { s.call(self) }
    }
}

/// Weights multiplied with the whole batch at a time: a quarter of a cache of two megabytes.
const CACHED_WEIGHTS: usize = 1 << 17;

impl Kernel for Product<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let p = self.p;
        if self.batch == 1 && ProductOfOne::takes(p) {
            // In a function of its own, as this one's needs many registers.
            return s.call(ProductOfOne(self));
        }
        if p.transposed {
            return TransposedProduct(self).run(s);
        }
        assert!(self.x.len() == self.batch * p.rows && self.y.len() == self.batch * p.cols && self.w.len() == p.len());
        // SAFETY: `x`, `y` and `w` are as long as `batch` and `p` ask for, by the assertion above.
        let mut tiles = unsafe { ColumnTiles::new(p, self.x.as_ptr(), self.w.as_ptr(), self.y.as_mut_ptr()) };
        (tiles.bias, tiles.floor) = (self.bias, self.floor);
        let wide = p.count() - usize::from(p.width(p.count() - 1) < Panels::WIDTH);
        // As many vectors of columns as keep their weights in the cache until the last row is done.
        let at_once = CACHED_WEIGHTS / (LANES * p.rows);
        // First the panels of full width, with as many vectors side by side as the batch leaves registers
        // for.
        let mut vectors = widest(S::REGISTERS, self.batch);
        let mut done = 0;
        while done < 2 * wide {
            let fitting = (2 * wide - done).min(at_once.max(vectors)) / vectors * vectors;
            if fitting != 0 {
                (tiles.first, tiles.vectors) = (done, fitting);
                // SAFETY: rows below `batch`; done + fitting <= 2 · wide, the vectors of the panels of full
                // width.
                unsafe { for_each_tile(s, tiles, 0..self.batch, vectors) };
                done += fitting;
            } else {
                vectors /= 2;
            }
        }
        if wide < p.count() {
            (tiles.first, tiles.vectors, tiles.width) = (done, 1, LANES);
            // SAFETY: rows below `batch`; the one vector, number 2 · wide, is the last panel.
            unsafe { for_each_tile(s, tiles, 0..self.batch, 1) };
        }
    }
}

/// Computes the outputs in `vectors` vectors of columns from vector `first` on, all of them in panels of
/// `width`.
#[derive(Clone, Copy)]
pub(super) struct ColumnTiles<'a> {
    p: Panels,
    x: *const f32,
    w: *const f32,
    y: *mut f32,
    pub bias: Option<&'a [f32]>,
    pub floor: f32,
    pub first: usize,
    pub vectors: usize,
    pub width: usize,
}

impl ColumnTiles<'_> {
    /// No vectors yet, no bias, no floor.
    ///
    /// # Safety
    /// For every row r that tiles are asked of, `x` can be read up to (r + 1) · p.rows and `y` written up to
    /// (r + 1) · p.cols; of every panel with one of the vectors asked for, `w` can be read from its
    /// `p.offset` on, p.rows rows of its width.
    #[inline(always)]
    pub unsafe fn new(p: Panels, x: *const f32, w: *const f32, y: *mut f32) -> Self {
        ColumnTiles { p, x, w, y, bias: None, floor: f32::NEG_INFINITY, first: 0, vectors: 0, width: Panels::WIDTH }
    }
}

impl TileKernel for ColumnTiles<'_> {
    const WIDEST: usize = 4;
    const TALLEST: usize = 12;

    #[inline(always)]
    unsafe fn rows<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>) {
        let Panels { rows: depth, cols, .. } = self.p;
        let (floor, chains) = (s.splat(self.floor), self.p.chains());
        for vector in (self.first..self.first + self.vectors).step_by(V) {
            let column = vector * LANES;
            // Adding −0 changes no sum, not even −0.
            let mut bias = [s.splat(-0.0); V];
            if let Some(from) = self.bias {
                for (v, bias) in bias.iter_mut().enumerate() {
                    *bias = s.load_part(&from[(column + v * LANES).min(cols)..]);
                }
            }
            let b = PanelVectors {
                at: self.w.wrapping_add(self.p.offset(vector / 2) + vector % 2 * LANES),
                step: self.width,
                pair: self.p.offset(1),
                lanes: LANES,
            };
            for row in rows.clone().step_by(R) {
                let a = Broadcast { at: self.x.wrapping_add(row * depth), row: depth, step: 1, run: 0 };
                let zero = [[s.splat(0.0); V]; R];
                let sums = if chains == 1 && depth <= LONG_CHAIN {
                    // SAFETY: row + R <= rows.end: `x` can be read up to (row + R) · depth, and the panels of
                    // vectors `vector` to `vector + V` have `depth` rows, `width` apart.
                    unsafe { accumulate::<S, R, V, false>(s, zero, a, b, Depth::once(depth)) }
                } else {
                    let mut total = ChainedTile::zero(s, depth);
                    let (end, group, apart) =
                        if chains == 1 { (depth, CHAIN_GROUP, CHAIN) } else { (chains, chains, 1) };
                    for start in (0..end).step_by(group) {
                        let mut sums = ChainedTile::zero(s, 0);
                        for first in (start..end.min(start + group)).step_by(apart) {
                            let a = Broadcast { at: a.at.wrapping_add(first), step: chains, ..a };
                            let at = b.at.wrapping_add(first * self.width);
                            let b = PanelVectors { at, step: chains * self.width, ..b };
                            // Chains are one or two: no division.
                            let left = (depth - first + chains - 1) >> (chains - 1);
                            let depth = Depth::once(if chains == 1 { left.min(CHAIN) } else { left });
                            // SAFETY: the same from row `first` of the panels on, every row or every second
                            // one, as far as there are rows.
                            sums.add(s, unsafe { accumulate::<S, R, V, false>(s, zero, a, b, depth) });
                        }
                        total.add(s, sums.totals());
                    }
                    total.totals()
                };
                let to = self.y.wrapping_add(row * cols + column);
                if !cfg!(feature = "small") && column + V * LANES <= cols {
                    for (r, sums) in sums.into_iter().enumerate() {
                        for (v, sum) in sums.into_iter().enumerate() {
                            // The floor first: where the other is NaN, `max` gives the second.
                            let value = s.max(floor, s.add(sum, bias[v]));
                            // SAFETY: row + r < rows.end, and column + (v + 1) · 16 <= cols.
                            unsafe { s.store_ptr(value, to.wrapping_add(r * cols + v * LANES)) };
                        }
                    }
                } else {
                    for (r, sums) in sums.into_iter().enumerate() {
                        for (v, sum) in sums.into_iter().enumerate() {
                            let value = s.max(floor, s.add(sum, bias[v]));
                            let from = (v * LANES).min(cols - column);
                            let to = to.wrapping_add(r * cols + from);
                            let lanes = (cols - column - from).min(LANES);
                            // SAFETY: row + r < rows.end, and column + from + lanes <= cols.
                            s.store_part(value, unsafe { core::slice::from_raw_parts_mut(to, lanes) });
                        }
                    }
                }
            }
        }
    }
}
