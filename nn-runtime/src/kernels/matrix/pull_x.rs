//! Backward to the inputs: the gradient of the outputs times the transposed weights, which are not transposed.
//! Comes in: gradients of the outputs and panels; goes out: gradients of the inputs, overwritten.
//! The lanes are samples: the small gradients are turned on their side instead, and the result back again.

use core::ops::Range;

use super::{Panels, Product};
use crate::kernels::micro::{Broadcast, Depth, Job, Tile, Vectors, accumulate, strip, strips, tallest};
use crate::kernels::simd::{Isa, Kernel, LANES, Simd};

/// Samples worked on at a time.
const GROUP: usize = 2 * LANES;

/// Numbers of scratch that [`pull_x`] needs for `cols` outputs, whatever the batch.
pub const fn pull_x_scratch(cols: usize) -> usize {
    cols * GROUP
}

/// `dx[s, i] = Σ_j dy[s, j] · w[i, j]`, for `dy` of `[b, cols]` and `dx` of `[b, rows]`, which is overwritten.
///
/// The sum is one chain of `fma` from j = 0 on, starting at 0. `scratch` is left with any numbers.
///
/// # Panics
/// `dx.len() != b * rows || dy.len() != b * cols` for every `b`; `w.len() != p.len()`;
/// `scratch.len() < pull_x_scratch(cols)`.
pub fn pull_x(isa: Isa, p: Panels, dy: &[f32], w: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
    let batch = p.batch(dx, dy);
    p.check_storage(w);
    assert!(
        scratch.len() >= pull_x_scratch(p.cols),
        "expected a scratch of {} numbers, found {}",
        pull_x_scratch(p.cols),
        scratch.len()
    );
    isa.run(PullX { p, batch, dy, w, dx, scratch });
}

/// [`pull_x`] within a kernel. Whoever makes one has checked the lengths.
pub(in crate::kernels) struct PullX<'a> {
    pub p: Panels,
    pub batch: usize,
    pub dy: &'a [f32],
    pub w: &'a [f32],
    pub dx: &'a mut [f32],
    pub scratch: &'a mut [f32],
}

impl Kernel for PullX<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Panels { rows, cols, .. } = self.p;
        if self.p.turned {
            let PullX { batch, dy, w, dx, .. } = self;
            let p = self.p.stored();
            return Product { p, batch, x: dy, w, bias: None, floor: f32::NEG_INFINITY, y: dx }.run(s);
        }
        // Two vectors of samples share each broadcast, where there are registers for them.
        let together = if S::REGISTERS >= 32 { GROUP } else { LANES };
        for first in (0..self.batch).step_by(together) {
            let samples = (self.batch - first).min(together);
            let vectors = samples.div_ceil(LANES);
            for v in 0..vectors {
                let of_vector = first + v * LANES..self.batch.min(first + (v + 1) * LANES);
                let from = &self.dy[of_vector.start * cols..of_vector.end * cols];
                lay_down(s, cols, from, self.scratch, vectors, v);
            }
            let job = Inputs {
                p: self.p,
                w: self.w.as_ptr(),
                samples: self.scratch.as_ptr(),
                dx: self.dx[first * rows..(first + samples) * rows].as_mut_ptr(),
                batch: samples,
            };
            let whole = rows / LANES * LANES;
            // SAFETY: `pull_x` has checked the lengths, and `tallest` divides the sixteen inputs of a block.
            unsafe {
                if whole != 0 {
                    strip(s, job, 0..whole, dividing(S::REGISTERS, vectors), vectors);
                }
                strips(s, job, whole..rows, vectors);
            }
        }
    }
}

/// The most rows of a tile that divide a block of sixteen.
const fn dividing(registers: usize, vectors: usize) -> usize {
    1 << tallest::<Inputs>(registers, vectors).ilog2()
}

/// Writes sixteen samples at most as vector `v` of `vectors`, one row an output; samples that are not there are 0.
#[inline(always)]
fn lay_down<S: Simd>(s: S, cols: usize, dy: &[f32], to: &mut [f32], vectors: usize, v: usize) {
    for column in (0..cols).step_by(LANES) {
        let wide = (cols - column).min(LANES);
        let mut block = [s.splat(0.0); LANES];
        for (row, dy) in block.iter_mut().zip(dy.chunks_exact(cols)) {
            *row = s.load_part(&dy[column..column + wide]);
        }
        s.transpose(&mut block);
        for (j, row) in block.into_iter().enumerate().take(wide) {
            let at = ((column + j) * vectors + v) * LANES;
            s.store_part(row, &mut to[at..at + LANES]);
        }
    }
}

/// The gradients of the inputs of `batch` samples, which lie as lanes in `samples`.
#[derive(Clone, Copy)]
struct Inputs {
    p: Panels,
    w: *const f32,
    samples: *const f32,
    dx: *mut f32,
    batch: usize,
}

impl Job for Inputs {
    const WIDEST: usize = 2;
    // What divides a block of sixteen.
    const TALLEST: usize = 8;

    #[inline(always)]
    unsafe fn strip<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>) {
        let mut input = rows.start;
        while input < rows.end {
            let inputs = (rows.end - input).min(LANES);
            let mut block = [[s.splat(0.0); LANES]; V];
            for r in (0..inputs).step_by(R) {
                // SAFETY: the inputs are rows of the matrix.
                let sums = unsafe { self.sums::<S, R, V>(s, input + r) };
                for (i, sums) in sums.into_iter().enumerate() {
                    for (v, sum) in sums.into_iter().enumerate() {
                        block[v][r + i] = sum;
                    }
                }
            }
            for (v, block) in block.iter_mut().enumerate() {
                s.transpose(block);
                for (lane, row) in block.iter().enumerate().take(self.batch - v * LANES) {
                    let to = self.dx.wrapping_add((v * LANES + lane) * self.p.rows + input);
                    // SAFETY: the sample is one of the batch, and has this many inputs from here on.
                    s.store_part(*row, unsafe { core::slice::from_raw_parts_mut(to, inputs) });
                }
            }
            input += inputs;
        }
    }
}

impl Inputs {
    /// # Safety
    /// `input + R` is at most the number of inputs.
    #[inline(always)]
    unsafe fn sums<S: Simd, const R: usize, const V: usize>(self, s: S, input: usize) -> Tile<S, R, V> {
        let Panels { cols, .. } = self.p;
        let (whole, left) = (cols / Panels::WIDTH, cols % Panels::WIDTH);
        let weights = |panel: usize, width: usize| Broadcast {
            at: self.w.wrapping_add(self.p.offset(panel) + input * width),
            row: width,
            step: 1,
            run: self.p.offset(1),
        };
        let lanes = |column: usize| Vectors {
            at: self.samples.wrapping_add(column * V * LANES),
            step: V * LANES,
            pair: 0,
            lanes: LANES,
        };
        let depth = Depth { runs: whole, length: Panels::WIDTH };
        let zero = [[s.splat(0.0); V]; R];
        // SAFETY: each panel has this input's row, and the scratch has a row for each of the `cols` columns.
        unsafe {
            let sums = accumulate::<S, R, V, false>(s, zero, weights(0, Panels::WIDTH), lanes(0), depth);
            if left == 0 {
                return sums;
            }
            let width = self.p.width(whole);
            accumulate::<S, R, V, false>(
                s,
                sums,
                weights(whole, width),
                lanes(whole * Panels::WIDTH),
                Depth::once(left),
            )
        }
    }
}
