//! Backward to the weights and the bias: sums over the samples, added to what is there.
//! Comes in: inputs and gradients of the outputs; goes out: gradients of a stretch of the storage.
//! Never a number of the padding written, and never a sum in another order than that of the samples.

use core::mem::MaybeUninit;
use core::ops::Range;

use super::Panels;
use crate::micro::{Job, strips};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// `dw[i, j] += Σ_s x[s, i] · dy[s, j]`, for `x` of `[b, rows]`, `dy` of `[b, cols]`, and the part `range` of the storage; `overwrite` is without
/// what is there.
///
/// The sum is one chain of `fma` from s = 0 on, starting at what is there, or at 0, so a batch in two calls gives the bits of one.
/// The padding is left as it is, or 0 where it is `overwrite`.
///
/// # Panics
/// `x.len() != b * rows || dy.len() != b * cols` for every `b`; `dw.len() != range.len()`; `range.end > p.len()`;
/// `range.start` is no multiple of [`Panels::GRAIN`], or `range.end` neither that nor `p.len()`.
pub fn backward_weight(
    isa: Isa,
    p: Panels,
    x: &[f32],
    dy: &[f32],
    range: Range<usize>,
    dw: &mut [f32],
    overwrite: bool,
) {
    let batch = p.batch(x, dy);
    let cut = |at: usize| at.is_multiple_of(Panels::GRAIN) || at == p.len();
    assert!(
        range.start <= range.end && range.end <= p.len() && cut(range.start) && cut(range.end),
        "expected a range of 0..{} cut at multiples of {}, found {range:?}",
        p.len(),
        Panels::GRAIN
    );
    assert!(dw.len() == range.len(), "expected {} numbers for {range:?}, found {}", range.len(), dw.len());
    let (x, dy) = if p.turned { (dy, x) } else { (x, dy) };
    if overwrite && batch == 0 {
        dw.fill(0.0);
    }
    isa.run(BackwardWeight { p: p.stored(), batch, x, dy, range, dw, overwrite });
}

struct BackwardWeight<'a> {
    p: Panels,
    batch: usize,
    x: &'a [f32],
    dy: &'a [f32],
    range: Range<usize>,
    dw: &'a mut [f32],
    overwrite: bool,
}

/// Samples worked on at a time: their gradients of a panel fit in the nearest cache, beside the inputs.
const SAMPLES: usize = 64;

/// Inputs from which on it pays to copy the gradients of a panel together.
const MANY: usize = 32;

/// The gradients of a panel, one row a sample, side by side.
#[repr(align(64))]
struct Together([MaybeUninit<f32>; SAMPLES * Panels::WIDTH]);

impl Together {
    /// Copies these columns of rows as long as `len`, with zeros behind the last; gives where they are now.
    #[inline(always)]
    fn copy<S: Simd>(&mut self, s: S, from: &[f32], len: usize, columns: Range<usize>) -> *const f32 {
        let to: *mut f32 = self.0.as_mut_ptr().cast();
        for (row, from) in from.chunks_exact(len).take(SAMPLES).enumerate() {
            let to = to.wrapping_add(row * Panels::WIDTH);
            let (whole, left) = from[columns.clone()].as_chunks();
            for (at, lanes) in whole.iter().take(2).enumerate() {
                // SAFETY: there is room for so many rows of two vectors.
                unsafe { s.store_ptr(s.load(lanes), to.wrapping_add(at * LANES)) };
            }
            if whole.len() < 2 {
                // SAFETY: as above.
                unsafe { s.store_ptr(s.load_part(left), to.wrapping_add(whole.len() * LANES)) };
            }
        }
        to
    }
}

impl Kernel for BackwardWeight<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Panels { rows, cols, .. } = self.p;
        let mut together = Together([MaybeUninit::uninit(); SAMPLES * Panels::WIDTH]);
        for first in (0..self.batch).step_by(SAMPLES) {
            let samples = (self.batch - first).min(SAMPLES);
            let dy = &self.dy[first * cols..(first + samples) * cols];
            for panel in 0..self.p.count() {
                let (start, width, column) = (self.p.offset(panel), self.p.width(panel), panel * Panels::WIDTH);
                // A panel starts at a multiple of 32, as every cut is one: so cuts fall between rows.
                let row = |at: usize| {
                    let at = at.max(start) - start;
                    (if width == LANES { at / LANES } else { at / Panels::WIDTH }).min(rows)
                };
                let inputs = row(self.range.start)..row(self.range.end);
                if inputs.is_empty() {
                    continue;
                }
                let real = (cols - column).min(width);
                // Rows that lie across the lines of the cache, or all want the same places of it.
                let slow = !cols.is_multiple_of(LANES) || cols.is_multiple_of(1024);
                let (dy, outputs) = if real < width || slow && inputs.len() >= MANY {
                    (together.copy(s, dy, cols, column..column + real), Panels::WIDTH)
                } else {
                    (dy[column..].as_ptr(), cols)
                };
                let vectors = if S::REGISTERS >= 32 { width / LANES } else { 1 };
                for half in (0..width).step_by(vectors * LANES) {
                    let job = Weights {
                        batch: samples,
                        x: self.x[first * rows..].as_ptr(),
                        inputs: rows,
                        dy: dy.wrapping_add(half),
                        outputs,
                        dw: self.dw.as_mut_ptr().wrapping_add(start + half).wrapping_sub(self.range.start),
                        width,
                        real: real.saturating_sub(half),
                        overwrite: self.overwrite && first == 0,
                    };
                    // SAFETY: `backward_weight` has checked the lengths; the panel's gradients are as wide as it is, or were copied so.
                    unsafe { strips(s, job, inputs.clone(), vectors) };
                }
            }
        }
    }
}
/// The gradients of the weights from some inputs to a few vectors of outputs, of which `real` are no padding.
#[derive(Clone, Copy)]
struct Weights {
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
}

impl Job for Weights {
    const WIDEST: usize = 2;
    const TALLEST: usize = 12;

    #[inline(always)]
    unsafe fn strip<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>) {
        for row in rows.step_by(R) {
            let at = |r: usize, v: usize| self.dw.wrapping_add((row + r) * self.width + v * LANES);
            let mut sums = [[s.splat(0.0); V]; R];
            for (r, sums) in sums.iter_mut().enumerate().filter(|_| !self.overwrite) {
                for (v, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: these inputs' rows are in the stretch, with these vectors.
                    *sum = unsafe { s.load_ptr(at(r, v)) };
                }
            }
            let (mut x, mut dy) = (self.x.wrapping_add(row), self.dy);
            for _ in 0..self.batch {
                let mut vectors = [s.splat(0.0); V];
                for (v, vector) in vectors.iter_mut().enumerate() {
                    // SAFETY: each sample has these outputs.
                    *vector = unsafe { s.load_ptr(dy.wrapping_add(v * LANES)) };
                }
                for (r, sums) in sums.iter_mut().enumerate() {
                    // SAFETY: each sample has these inputs.
                    let x = s.splat(unsafe { *x.wrapping_add(r) });
                    for (sum, vector) in sums.iter_mut().zip(vectors) {
                        *sum = s.fma(x, vector, *sum);
                    }
                }
                x = x.wrapping_add(self.inputs);
                dy = dy.wrapping_add(self.outputs);
            }
            if self.real >= V * LANES {
                for (r, sums) in sums.into_iter().enumerate() {
                    for (v, sum) in sums.into_iter().enumerate() {
                        // SAFETY: as for the loads, and the stretch is borrowed mutably.
                        unsafe { s.store_ptr(sum, at(r, v)) };
                    }
                }
            } else {
                for (r, sums) in sums.into_iter().enumerate() {
                    for (v, sum) in sums.into_iter().enumerate() {
                        let lanes = self.real.saturating_sub(v * LANES).min(LANES);
                        if self.overwrite {
                            // SAFETY: as for the loads, and the stretch is borrowed mutably.
                            unsafe { s.store_ptr(s.splat(0.0), at(r, v)) };
                        }
                        // SAFETY: as above, of some lanes.
                        s.store_part(sum, unsafe { core::slice::from_raw_parts_mut(at(r, v), lanes) });
                    }
                }
            }
        }
    }
}

/// `db[j] += Σ_s dy[s, j]` for the outputs j in `range`, for `dy` of `[b, cols]`.
///
/// The sum is taken in the order of the samples, starting at what is there.
///
/// # Panics
/// `cols == 0`; `dy.len()` is no multiple of `cols`; `range.end > cols`; `db.len() != range.len()`.
pub fn backward_bias(isa: Isa, cols: usize, dy: &[f32], range: Range<usize>, db: &mut [f32]) {
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
    isa.run(BackwardBias { cols, dy, start: range.start, db });
}

struct BackwardBias<'a> {
    cols: usize,
    dy: &'a [f32],
    start: usize,
    db: &'a mut [f32],
}

impl Kernel for BackwardBias<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // Four chains at a time, which hide the latency of an addition.
        const CHAINS: usize = 4;
        let (whole, rest) = self.db.as_chunks_mut::<{ CHAINS * LANES }>();
        let after = self.start + whole.len() * CHAINS * LANES;
        // Told apart, so that no row asks how many lanes there are.
        for (block, db) in whole.iter_mut().enumerate() {
            let mut sums = [s.splat(0.0); CHAINS];
            for (sum, db) in sums.iter_mut().zip(db.as_chunks().0) {
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
                s.store(sum, db);
            }
        }
        if !rest.is_empty() {
            let (first, db) = (after, rest);
            let mut sums = [s.splat(0.0); CHAINS];
            for (sum, db) in sums.iter_mut().zip(db.chunks(LANES)) {
                *sum = s.load_part(db);
            }
            for dy in self.dy.chunks_exact(self.cols) {
                let dy = &dy[first..first + db.len()];
                for (sum, dy) in sums.iter_mut().zip(dy.chunks(LANES)) {
                    *sum = s.add(*sum, s.load_part(dy));
                }
            }
            for (sum, db) in sums.into_iter().zip(db.chunks_mut(LANES)) {
                s.store_part(sum, db);
            }
        }
    }
}
