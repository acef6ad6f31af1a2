//! Backward to the weights and the bias: sums over the samples in their order, added to what is there.
//! In: inputs and gradients of the outputs. Out: gradients of a range of the storage, without its padding.

use core::mem::MaybeUninit;
use core::ops::Range;

use super::Panels;
use super::few_weights::FewWeights;
use crate::long_sums::{BLOCK, Sums};
use crate::micro::{TileKernel, for_each_tile};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// `dw[i, j] += Σ_s x[s, i] · dy[s, j]`, for `x` of `[b, rows]`, `dy` of `[b, cols]`, and the part `range` of
/// the storage; with [`Sums::overwrite`], `dw[i, j] = …`.
///
/// The sum is one chain of `fma` from s = 0 on, starting at what is there, or at 0, so a batch in two calls
/// gives the bits of one; with [`Sums::blocks`], a chain for every 64 samples, starting at 0, added in their
/// order. The padding is left as it is, or set to 0 with `overwrite`.
///
/// # Panics
/// `x.len() != b * rows || dy.len() != b * cols` for every `b`; `dw.len() != range.len()`; `range.end >
/// p.len()`; `range.start` is no multiple of [`Panels::SPLIT_ALIGN`], or `range.end` neither that nor
/// `p.len()`.
pub fn backward_weight(isa: Isa, p: Panels, x: &[f32], dy: &[f32], range: Range<usize>, dw: &mut [f32], sums: Sums) {
    let batch = p.batch(x, dy);
    let cut = |at: usize| at.is_multiple_of(Panels::SPLIT_ALIGN) || at == p.len();
    assert!(
        range.start <= range.end && range.end <= p.len() && cut(range.start) && cut(range.end),
        "expected a range of 0..{} cut at multiples of {}, found {range:?}",
        p.len(),
        Panels::SPLIT_ALIGN
    );
    assert!(dw.len() == range.len(), "expected {} numbers for {range:?}, found {}", range.len(), dw.len());
    let (x, dy) = if p.transposed { (dy, x) } else { (x, dy) };
    if sums.overwrite && batch == 0 {
        dw.fill(0.0);
    }
    let few = p.stored();
    if FewWeights::takes(few, batch) && dw.len() == p.len() {
        return isa.run(FewWeights { p: few, x, dy, dw, sums });
    }
    isa.run(MatrixBackwardWeight { p: p.stored(), batch, x, dy, range, dw, sums });
}

pub(super) struct MatrixBackwardWeight<'a> {
    pub p: Panels,
    pub batch: usize,
    pub x: &'a [f32],
    pub dy: &'a [f32],
    pub range: Range<usize>,
    pub dw: &'a mut [f32],
    pub sums: Sums,
}

/// Samples worked on at a time: their gradients of a panel fit in the first-level cache, beside the inputs.
const SAMPLES: usize = BLOCK;

/// From this many inputs on it pays to copy the gradients of a panel together.
const WORTH_COPYING: usize = 32;

/// Where size counts before speed, gradients of a panel are read where they lie, a part of a vector where
/// they are fewer: a copy would be 8 kB of stack.
const IN_PLACE: bool = cfg!(feature = "small");

/// A copy of the gradients of a panel, one row a sample.
#[repr(align(64))]
struct PanelCopy([MaybeUninit<f32>; if IN_PLACE { 0 } else { SAMPLES * Panels::WIDTH }]);

impl PanelCopy {
    /// Copies `columns` of rows of `len` numbers, padded with zeros to two vectors; returns where the copy
    /// starts.
    #[inline(always)]
    fn copy<S: Simd>(&mut self, s: S, from: &[f32], len: usize, columns: Range<usize>) -> *const f32 {
        let to: *mut f32 = self.0.as_mut_ptr().cast();
        for (row, from) in from.chunks_exact(len).take(SAMPLES).enumerate() {
            let to = to.wrapping_add(row * Panels::WIDTH);
            let (whole, left) = from[columns.clone()].as_chunks();
            for (at, lanes) in whole.iter().take(2).enumerate() {
                // SAFETY: row < SAMPLES and at < 2: the last number written is number row · 32 + at · 16 + 15
                // < SAMPLES · 32.
                unsafe { s.store_ptr(s.load(lanes), to.wrapping_add(at * LANES)) };
            }
            if whole.len() < 2 {
                // SAFETY: row < SAMPLES and whole.len() < 2, so again below SAMPLES · 32.
                unsafe { s.store_ptr(s.load_part(left), to.wrapping_add(whole.len() * LANES)) };
            }
        }
        to
    }
}

impl Kernel for MatrixBackwardWeight<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Panels { rows, cols, .. } = self.p;
        let mut copy = PanelCopy([MaybeUninit::uninit(); _]);
        for first in (0..self.batch).step_by(SAMPLES) {
            let samples = (self.batch - first).min(SAMPLES);
            let dy = &self.dy[first * cols..(first + samples) * cols];
            for panel in 0..self.p.count() {
                let (start, width, column) = (self.p.offset(panel), self.p.width(panel), panel * Panels::WIDTH);
                // A panel starts at a multiple of 32, and ranges are split at multiples of 32: so between
                // rows.
                let row = |at: usize| {
                    let at = at.max(start) - start;
                    (if width == LANES { at / LANES } else { at / Panels::WIDTH }).min(rows)
                };
                let inputs = row(self.range.start)..row(self.range.end);
                if inputs.is_empty() {
                    continue;
                }
                let real = (cols - column).min(width);
                // Rows that straddle cache lines, or that all map to the same cache sets.
                let slow = !cols.is_multiple_of(LANES) || cols.is_multiple_of(1024);
                let copies = !IN_PLACE && (real < width || slow && inputs.len() >= WORTH_COPYING);
                let (dy, outputs) = if copies {
                    (copy.copy(s, dy, cols, column..column + real), Panels::WIDTH)
                } else {
                    (dy[column..].as_ptr(), cols)
                };
                let vectors = if S::REGISTERS >= 32 { width / LANES } else { 1 };
                for half in (0..width).step_by(vectors * LANES) {
                    let job = WeightTiles {
                        batch: samples,
                        x: self.x[first * rows..].as_ptr(),
                        inputs: rows,
                        dy: dy.wrapping_add(half),
                        outputs,
                        dw: self.dw.as_mut_ptr().wrapping_add(start + half).wrapping_sub(self.range.start),
                        width,
                        real: real.saturating_sub(half),
                        overwrite: self.sums.overwrite && first == 0,
                        block: self.sums.blocks,
                    };
                    // SAFETY: `backward_weight` has checked that `x` and `dy` have `first + samples` rows. Of
                    // each of these rows, the panel's gradients have half + vectors · 16 <= width numbers, in
                    // `dy` or in the copy, or `real` where they are read in place. The rows `inputs` of the
                    // panel lie in the range, which `dw` is as long as.
                    unsafe { for_each_tile(s, job, inputs.clone(), vectors) };
                }
            }
        }
    }
}

/// The gradients of the weights from some inputs to a few vectors of outputs, of which `real` are not
/// padding.
///
/// With tiles of `V` vectors and rows below `end`: `x` is read up to batch · inputs, `dy` at s · outputs +
/// 16·V (in place, + `real`) for every s below `batch`, and `dw` read and written from the first row's start
/// to (end − 1) · width + 16·V.
#[derive(Clone, Copy)]
struct WeightTiles {
    batch: usize,
    x: *const f32,
    inputs: usize,
    dy: *const f32,
    outputs: usize,
    /// Where the row of input 0 would start.
    dw: *mut f32,
    width: usize,
    real: usize,
    overwrite: bool,
    /// The sum begins at 0, and is then added to what is there.
    block: bool,
}

impl TileKernel for WeightTiles {
    const WIDEST: usize = 2;
    const TALLEST: usize = 12;

    #[inline(always)]
    unsafe fn rows<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>) {
        for row in rows.step_by(R) {
            let at = |r: usize, v: usize| self.dw.wrapping_add((row + r) * self.width + v * LANES);
            let mut sums = [[s.splat(0.0); V]; R];
            for (r, sums) in sums.iter_mut().enumerate().filter(|_| !self.overwrite && !self.block) {
                for (v, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: row + r < rows.end, whose rows of the panel can be read with `V` vectors.
                    *sum = unsafe { s.load_ptr(at(r, v)) };
                }
            }
            let (mut x, mut dy) = (self.x.wrapping_add(row), self.dy);
            for _ in 0..self.batch {
                let mut vectors = [s.splat(0.0); V];
                for (v, vector) in vectors.iter_mut().enumerate() {
                    let at = dy.wrapping_add(v * LANES);
                    *vector = if IN_PLACE {
                        let lanes = self.real.saturating_sub(v * LANES).min(LANES);
                        // SAFETY: one of `batch` samples, of whose gradients `real` can be read.
                        s.load_part(unsafe { core::slice::from_raw_parts(at, lanes) })
                    } else {
                        // SAFETY: one of `batch` samples, whose gradients have `V` vectors.
                        unsafe { s.load_ptr(at) }
                    };
                }
                for (r, sums) in sums.iter_mut().enumerate() {
                    // SAFETY: one of `batch` samples, and row + r < rows.end <= inputs.
                    let x = s.splat(unsafe { *x.wrapping_add(r) });
                    for (sum, vector) in sums.iter_mut().zip(vectors) {
                        *sum = s.fma(x, vector, *sum);
                    }
                }
                x = x.wrapping_add(self.inputs);
                dy = dy.wrapping_add(self.outputs);
            }
            for (r, sums) in sums.iter_mut().enumerate().filter(|_| !self.overwrite && self.block) {
                for (v, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: as where a sum begins at what is there.
                    *sum = s.add(unsafe { s.load_ptr(at(r, v)) }, *sum);
                }
            }
            if !cfg!(feature = "small") && self.real >= V * LANES {
                for (r, sums) in sums.into_iter().enumerate() {
                    for (v, sum) in sums.into_iter().enumerate() {
                        // SAFETY: row + r < rows.end: the same numbers as loaded above, from a mutable
                        // borrow.
                        unsafe { s.store_ptr(sum, at(r, v)) };
                    }
                }
            } else {
                for (r, sums) in sums.into_iter().enumerate() {
                    for (v, sum) in sums.into_iter().enumerate() {
                        let lanes = self.real.saturating_sub(v * LANES).min(LANES);
                        if self.overwrite {
                            // SAFETY: row + r < rows.end: all `V` vectors of the row, padding included, can
                            // be written.
                            unsafe { s.store_ptr(s.splat(0.0), at(r, v)) };
                        }
                        // SAFETY: row + r < rows.end, and lanes <= 16.
                        s.store_part(sum, unsafe { core::slice::from_raw_parts_mut(at(r, v), lanes) });
                    }
                }
            }
        }
    }
}

/// `db[j] += Σ_s dy[s, j]` for the outputs j in `range`, for `dy` of `[b, cols]`.
///
/// The sum is taken in the order of the samples, starting at what is there; with `blocks`, a sum for every 64
/// samples, starting at 0.
///
/// # Panics
/// `cols == 0`; `dy.len()` is no multiple of `cols`; `range.end > cols`; `db.len() != range.len()`.
pub fn backward_bias(isa: Isa, cols: usize, dy: &[f32], range: Range<usize>, db: &mut [f32], blocks: bool) {
    assert!(
        dy.len().is_multiple_of(cols) && cols != 0,
        "expected samples of {cols} outputs, found {} numbers",
        dy.len()
    );
    assert!(
        range.start <= range.end && range.end <= cols && db.len() == range.len(),
        "expected a range of 0..{cols} and as many numbers, found {range:?} and {}",
        db.len()
    );
    let start = range.start;
    if !blocks {
        return isa.run(MatrixBackwardBias { cols, dy, start, db, block: false });
    }
    for dy in dy.chunks(cols * BLOCK) {
        isa.run(MatrixBackwardBias { cols, dy, start, db, block: true });
    }
}

pub(super) struct MatrixBackwardBias<'a> {
    pub cols: usize,
    pub dy: &'a [f32],
    pub start: usize,
    pub db: &'a mut [f32],
    /// The sum begins at 0, and is then added to what is there.
    pub block: bool,
}

impl Kernel for MatrixBackwardBias<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // Where size counts before speed, one vector of sums after the other.
        if cfg!(feature = "small") || self.db.len() <= LANES {
            for (at, db) in (self.start..).step_by(LANES).zip(self.db.chunks_mut(LANES)) {
                let mut sum = if self.block { s.splat(0.0) } else { s.load_part(db) };
                for dy in self.dy.chunks_exact(self.cols) {
                    sum = s.add(sum, s.load_part(&dy[at..at + db.len()]));
                }
                s.store_part(if self.block { s.add(s.load_part(db), sum) } else { sum }, db);
            }
            return;
        }
        // Four chains at a time hide the latency of an addition.
        const CHAINS: usize = 4;
        let (whole, rest) = self.db.as_chunks_mut::<{ CHAINS * LANES }>();
        let after = self.start + whole.len() * CHAINS * LANES;
        // Whole blocks separately, so that no row asks how many lanes there are.
        for (block, db) in whole.iter_mut().enumerate() {
            let mut sums = [s.splat(0.0); CHAINS];
            for (sum, db) in sums.iter_mut().zip(db.as_chunks().0).filter(|_| !self.block) {
                *sum = s.load(db);
            }
            let first = self.start + block * CHAINS * LANES;
            for dy in self.dy.chunks_exact(self.cols) {
                let dy = &dy[first..first + CHAINS * LANES];
                for (sum, dy) in sums.iter_mut().zip(dy.as_chunks().0) {
                    *sum = s.add(*sum, s.load(dy));
                }
            }
            for (sum, db) in sums.into_iter().zip(db.as_chunks_mut().0) {
                s.store(if self.block { s.add(s.load(db), sum) } else { sum }, db);
            }
        }
        if !rest.is_empty() {
            let (first, db) = (after, rest);
            let mut sums = [s.splat(0.0); CHAINS];
            for (sum, db) in sums.iter_mut().zip(db.chunks(LANES)).filter(|_| !self.block) {
                *sum = s.load_part(db);
            }
            for dy in self.dy.chunks_exact(self.cols) {
                let dy = &dy[first..first + db.len()];
                for (sum, dy) in sums.iter_mut().zip(dy.chunks(LANES)) {
                    *sum = s.add(*sum, s.load_part(dy));
                }
            }
            for (sum, db) in sums.into_iter().zip(db.chunks_mut(LANES)) {
                s.store_part(if self.block { s.add(s.load_part(db), sum) } else { sum }, db);
            }
        }
    }
}
