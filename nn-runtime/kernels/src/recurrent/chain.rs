//! What the sums at the gates start at, and how they go on over inputs. In: biases, weights and inputs; out:
//! sums of sixteen units, each one chain of `fma` in the order of the inputs.

use core::array::from_fn;
use core::hint::black_box;

use super::{Cell, GateColumns, Gates};
use crate::simd::{LANES, Simd};

/// Writes what the sums at the gates start at: for each sixteen units the biases of the inputs' product gate
/// by gate, then those of the state's. Without [`Cell::SPLIT`] the former are the sums of both.
#[inline(always)]
pub(super) fn write_starts<S: Simd, C: Cell>(s: S, units: usize, biases: [Option<&[f32]>; 2], starts: &mut [f32]) {
    for (block, starts) in starts.chunks_exact_mut(2 * C::GATES * LANES).enumerate() {
        let (x, h) = starts.split_at_mut(C::GATES * LANES);
        for (g, (x, h)) in x.chunks_exact_mut(LANES).zip(h.chunks_exact_mut(LANES)).enumerate() {
            let mut of = [s.splat(0.0); 2];
            for (of, bias) in of.iter_mut().zip(biases) {
                if let Some(bias) = bias {
                    *of = s.load_part(&bias[g * units..][block * LANES..units]);
                }
            }
            s.store_part(if C::SPLIT { of[0] } else { s.add(of[0], of[1]) }, x);
            s.store_part(of[1], h);
        }
    }
}

/// Continues the sums of `R` samples over all inputs. The inputs of sample r are at `from + r · stride`.
///
/// # Safety
/// For r < `R`, `columns.inputs` numbers can be read from `from + r · stride` on; `at + 16 · (B − 1)` is
/// below the units.
#[inline(always)]
pub(super) unsafe fn chain<S: Simd, C: Cell, const R: usize, const B: usize>(
    s: S,
    mut sums: [[Gates<S::F>; B]; R],
    (from, stride): (*const f32, usize),
    columns: &GateColumns<C>,
    at: usize,
) -> [[Gates<S::F>; B]; R] {
    // One pointer a sample, hidden from the optimiser, which would otherwise recompute them in every step.
    let from: [*const f32; R] = black_box(from_fn(|r| from.wrapping_add(r * stride)));
    let mut w = [columns.vectors(at); B];
    for (b, w) in w.iter_mut().enumerate() {
        *w = columns.vectors(at + b * LANES);
    }
    for k in 0..columns.inputs {
        let mut vectors = [[s.splat(0.0); 4]; B];
        for b in 0..B {
            for (g, vector) in vectors[b].iter_mut().enumerate().take(C::GATES) {
                // SAFETY: g < GATES and k < inputs: `GateVectors` says that sixteen numbers can be read
                // there.
                *vector = unsafe { s.load_ptr(w[b].first.add(g * w[b].gate + k * w[b].input)) };
            }
        }
        for r in 0..R {
            // SAFETY: r < R and k < columns.inputs.
            let input = s.splat(unsafe { *from[r].add(k) });
            for b in 0..B {
                for g in 0..C::GATES {
                    sums[r][b][g] = s.fma(input, vectors[b][g], sums[r][b][g]);
                }
            }
        }
    }
    sums
}
