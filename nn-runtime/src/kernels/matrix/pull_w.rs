//! Backward to the weights and the bias: sums over the samples, added to what is there.
//! Comes in: inputs and gradients of the outputs; goes out: gradients of a stretch of the storage.
//! Never a number of the padding written, and never a sum in another order than that of the samples.

use core::ops::Range;

use super::Panels;
use crate::kernels::micro::{Broadcast, Depth, Job, Vectors, accumulate, strips};
use crate::kernels::simd::{Isa, Kernel, LANES, Simd};

/// `dw[i, j] += Σ_s x[s, i] · dy[s, j]`, for `x` of `[b, rows]`, `dy` of `[b, cols]`, and the part `range` of the storage.
///
/// The sum is one chain of `fma` from s = 0 on, starting at what is there, so a batch in two calls gives the bits of one.
/// The padding is left as it is.
///
/// # Panics
/// `x.len() != b * rows || dy.len() != b * cols` for every `b`; `dw.len() != range.len()`; `range.end > p.len()`;
/// `range.start` is no multiple of [`Panels::GRAIN`], or `range.end` neither that nor `p.len()`.
pub fn pull_w(isa: Isa, p: Panels, x: &[f32], dy: &[f32], range: Range<usize>, dw: &mut [f32]) {
    let batch = p.batch(x, dy);
    let cut = |at: usize| at.is_multiple_of(Panels::GRAIN) || at == p.len();
    assert!(
        range.start <= range.end && range.end <= p.len() && cut(range.start) && cut(range.end),
        "expected a range of 0..{} cut at multiples of {}, found {range:?}",
        p.len(),
        Panels::GRAIN
    );
    assert!(dw.len() == range.len(), "expected {} numbers for {range:?}, found {}", range.len(), dw.len());
    isa.run(PullW { p, batch, x, dy, range, dw });
}

struct PullW<'a> {
    p: Panels,
    batch: usize,
    x: &'a [f32],
    dy: &'a [f32],
    range: Range<usize>,
    dw: &'a mut [f32],
}

impl Kernel for PullW<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let rows = self.p.rows;
        for first in (0..self.batch).step_by(SAMPLES) {
            let samples = (self.batch - first).min(SAMPLES);
            for input in (0..rows).step_by(INPUTS) {
                let inputs = input..rows.min(input + INPUTS);
                for panel in 0..self.p.count() {
                    let (start, width) = (self.p.offset(panel), self.p.width(panel));
                    // A panel starts at a multiple of 32, as every cut is one: so cuts fall between rows.
                    let row = |at: usize| (at.max(start) - start) / width;
                    let inputs = inputs.start.max(row(self.range.start))..inputs.end.min(row(self.range.end));
                    self.panel(s, first..first + samples, inputs, panel);
                }
            }
        }
    }
}

/// Samples and inputs worked on at a time: with their gradients they fit in the nearest cache.
const SAMPLES: usize = 64;
const INPUTS: usize = 64;

impl PullW<'_> {
    /// The weights from some inputs, which are in the range, to the outputs of one panel.
    #[inline(always)]
    fn panel<S: Simd>(&mut self, s: S, samples: Range<usize>, inputs: Range<usize>, panel: usize) {
        let Panels { rows, cols } = self.p;
        let (start, width) = (self.p.offset(panel), self.p.width(panel));
        let dw = self.dw.as_mut_ptr();
        let weights = |half: usize, lanes: usize| Weights {
            batch: samples.len(),
            x: self.x.as_ptr().wrapping_add(samples.start * rows),
            inputs: rows,
            dy: self.dy.as_ptr().wrapping_add(samples.start * cols + panel * Panels::WIDTH + half),
            outputs: cols,
            dw: dw.wrapping_add(start + half).wrapping_sub(self.range.start),
            width,
            lanes,
        };
        let real = (cols - panel * Panels::WIDTH).min(width);
        if real == Panels::WIDTH && S::REGISTERS >= 32 {
            // SAFETY: `pull_w` has checked the lengths, and the panel has two vectors of columns.
            unsafe { strips(s, Whole(weights(0, LANES)), inputs, 2) };
            return;
        }
        for half in (0..real).step_by(LANES) {
            let job = weights(half, (real - half).min(LANES));
            // SAFETY: `pull_w` has checked the lengths, and the panel has this many lanes from this half on.
            unsafe {
                if job.lanes == LANES {
                    strips(s, Whole(job), inputs.clone(), 1);
                } else {
                    strips(s, Part(job), inputs.clone(), 1);
                }
            }
        }
    }
}

/// The gradients of the weights from some inputs to a few vectors of outputs, `lanes` of them in the last.
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
    lanes: usize,
}

/// All lanes are there.
#[derive(Clone, Copy)]
struct Whole(Weights);

/// The last vector ends before its lanes do.
#[derive(Clone, Copy)]
struct Part(Weights);

impl Job for Whole {
    const WIDEST: usize = 2;
    // Half a cache line of inputs.
    const TALLEST: usize = 8;

    #[inline(always)]
    unsafe fn strip<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>) {
        // SAFETY: the caller vouches for it.
        unsafe { self.0.strip::<S, R, V, false>(s, rows) }
    }
}

impl Job for Part {
    const WIDEST: usize = 1;
    const TALLEST: usize = 8;

    #[inline(always)]
    unsafe fn strip<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>) {
        // SAFETY: the caller vouches for it.
        unsafe { self.0.strip::<S, R, V, true>(s, rows) }
    }
}

impl Weights {
    /// # Safety
    /// As for [`Job::strip`], with `lanes` lanes in the last vector where `PART`.
    #[inline(always)]
    unsafe fn strip<S: Simd, const R: usize, const V: usize, const PART: bool>(self, s: S, rows: Range<usize>) {
        let b = Vectors { at: self.dy, step: self.outputs, pair: 0, lanes: self.lanes };
        for row in rows.step_by(R) {
            let a = Broadcast { at: self.x.wrapping_add(row), row: 1, step: self.inputs, run: 0 };
            let at = |r: usize, v: usize| self.dw.wrapping_add((row + r) * self.width + v * LANES);
            let mut sums = [[s.splat(0.0); V]; R];
            for (r, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: these inputs' rows are in the stretch, with these vectors or what lanes there are of them.
                    *sum = unsafe {
                        if PART && v + 1 == V {
                            s.load_part(core::slice::from_raw_parts(at(r, v), self.lanes))
                        } else {
                            s.load_ptr(at(r, v))
                        }
                    };
                }
            }
            // SAFETY: each sample has these inputs, and these outputs.
            let sums = unsafe { accumulate::<S, R, V, PART>(s, sums, a, b, Depth::once(self.batch)) };
            for (r, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    // SAFETY: as for the loads, and the stretch is borrowed mutably.
                    unsafe {
                        if PART && v + 1 == V {
                            s.store_part(sum, core::slice::from_raw_parts_mut(at(r, v), self.lanes));
                        } else {
                            s.store_ptr(sum, at(r, v));
                        }
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
pub fn pull_bias(isa: Isa, cols: usize, dy: &[f32], range: Range<usize>, db: &mut [f32]) {
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
    isa.run(PullBias { cols, dy, start: range.start, db });
}

struct PullBias<'a> {
    cols: usize,
    dy: &'a [f32],
    start: usize,
    db: &'a mut [f32],
}

impl Kernel for PullBias<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // Four chains at a time, which hide the latency of an addition.
        const CHAINS: usize = 4;
        for (block, db) in self.db.chunks_mut(CHAINS * LANES).enumerate() {
            let mut sums = [s.splat(0.0); CHAINS];
            for (sum, db) in sums.iter_mut().zip(db.chunks(LANES)) {
                *sum = s.load_part(db);
            }
            let first = self.start + block * CHAINS * LANES;
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
