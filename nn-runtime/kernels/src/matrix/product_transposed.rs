//! Forward with few outputs: SIMD lanes are inputs, and the lanes are added up at the end. In: samples and a
//! transposed matrix. Out: outputs, one row a sample. Every output is sixteen chains, one of every sixteenth
//! input, added pairwise, whatever the batch and the tile; of many inputs, chains are added up exactly first.

use super::product_args::{CHAIN, CHAIN_GROUP, LONG_CHAIN, Product};
use super::{FEW_OUTPUTS, Panels};
use crate::compensated::ChainedTile;
use crate::simd::{Kernel, LANES, Simd};

/// Whether samples are taken one by one: of several a stack would hold kilobytes.
const ONE_BY_ONE: bool = cfg!(feature = "small");

/// Vectors whose lanes are still to be added up: of sixteen samples with half of the outputs, or of eight
/// with all.
const PENDING: usize = if ONE_BY_ONE { LANES } else { LANES / 2 * FEW_OUTPUTS };

#[repr(align(64))]
struct PendingSums([[f32; LANES]; PENDING]);

/// A [`Product`] with a transposed matrix.
pub(super) struct TransposedProduct<'a>(pub Product<'a>);

impl Kernel for TransposedProduct<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Product { p, batch, x: all_x, w, bias: of_outputs, floor, y: all_y } = self.0;
        let p = p.stored();
        let Panels { rows: outputs, cols: inputs, .. } = p;
        let group = match 2 * outputs <= FEW_OUTPUTS {
            _ if ONE_BY_ONE => 1,
            true => LANES,
            false => LANES / 2,
        };
        let mut pending = PendingSums([[0.0; LANES]; PENDING]);
        let mut bias = [0.0; PENDING];
        if let Some(from) = of_outputs {
            bias[..group * outputs].chunks_exact_mut(outputs).for_each(|to| to.copy_from_slice(from));
        }
        for first in (0..batch).step_by(group) {
            let samples = (batch - first).min(group);
            let x = &all_x[first * inputs..(first + samples) * inputs];
            let mut output = 0;
            while output < outputs {
                let tiles = DotTiles { p, x, w, output, to: &mut pending.0 };
                output += match outputs - output {
                    _ if const { S::REGISTERS == 1 } => tiles.run::<S, 1, 1>(s),
                    5.. => tiles.run::<S, 4, 5>(s),
                    4 => tiles.run::<S, 4, 4>(s),
                    2 | 3 => tiles.run::<S, 8, 2>(s),
                    _ => tiles.run::<S, 8, 1>(s),
                };
            }
            let y = &mut all_y[first * outputs..(first + samples) * outputs];
            let all = pending.0.as_chunks::<LANES>().0.iter().zip(bias.as_chunks().0);
            for (y, (sums, bias)) in y.chunks_mut(LANES).zip(all) {
                let mut vectors = [s.splat(0.0); LANES];
                for (vector, sums) in vectors.iter_mut().zip(sums) {
                    *vector = s.load(sums);
                }
                // The floor first: where the other is NaN, `max` gives the second.
                let value = s.max(s.splat(floor), s.add(sum_lanes(s, vectors), s.load(bias)));
                s.store_part(value, y);
            }
        }
    }
}

/// One sample, with as many outputs at once as hide the latency of `fma`.
#[inline(always)]
pub(super) fn one_sample<S: Simd>(s: S, product: Product) {
    let Product { p, x, w, bias, floor, y, .. } = product;
    let p = p.stored();
    assert!(x.len() == p.cols && y.len() == p.rows && w.len() == p.len());
    let mut output = 0;
    while output < p.rows {
        let one = SampleOutputs { p, x, w, output, bias: bias.unwrap_or(&[]), floor, y };
        output += match p.rows - output {
            _ if const { S::REGISTERS == 1 } => one.outputs::<S, 1>(s),
            10.. if const { S::REGISTERS >= 32 } => one.outputs::<S, 10>(s),
            5.. => one.outputs::<S, 5>(s),
            2..5 => one.outputs::<S, 2>(s),
            _ => one.outputs::<S, 1>(s),
        };
    }
}

/// Lane i of the result is the sum of the lanes of vector i: of neighbouring pairs, then of pairs of those
/// sums, and so on.
#[inline(always)]
fn sum_lanes<S: Simd>(s: S, sums: [S::F; LANES]) -> S::F {
    sum_lanes_of::<S, LANES>(s, sums)
}

/// The same of the first `C` vectors.
#[inline(always)]
pub(crate) fn sum_lanes_of<S: Simd, const C: usize>(s: S, mut sums: [S::F; LANES]) -> S::F {
    let mut vectors = C;
    for _ in 0..LANES.ilog2() {
        // Of what lies behind them nobody asks.
        vectors = vectors.div_ceil(2);
        for k in 0..vectors {
            let (even, odd) = s.unzip(sums[2 * k], sums[2 * k + 1]);
            sums[k] = s.add(even, odd);
        }
    }
    sums[0]
}

/// The outputs of some samples from output `output` on.
struct DotTiles<'a> {
    p: Panels,
    x: &'a [f32],
    w: &'a [f32],
    output: usize,
    to: &'a mut [[f32; LANES]],
}

impl DotTiles<'_> {
    /// Writes the lanes of the next `C` outputs of all samples, `R` samples at a time as long as there are as
    /// many; returns `C`.
    #[inline(always)]
    fn run<S: Simd, const R: usize, const C: usize>(mut self, s: S) -> usize {
        let samples = self.x.len() / self.p.cols;
        assert!(self.output + C <= self.p.rows && samples * self.p.rows <= PENDING && self.w.len() == self.p.len());
        let mut sample = 0;
        while sample < samples {
            if const { S::REGISTERS >= 32 } && sample + R <= samples {
                s.call(DotTile::<R, C>(&mut self, sample));
                sample += R;
            } else {
                s.call(DotTile::<1, C>(&mut self, sample));
                sample += 1;
            }
        }
        C
    }
}

/// `R` samples from a sample on, with `C` outputs, as a function of its own.
struct DotTile<'a, 'b, const R: usize, const C: usize>(&'a mut DotTiles<'b>, usize);

impl<const R: usize, const C: usize> Kernel for DotTile<'_, '_, R, C> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let DotTile(tiles, sample) = self;
        let Panels { rows: outputs, cols: inputs, .. } = tiles.p;
        let x = &tiles.x[sample * inputs..(sample + R) * inputs];
        // SAFETY: only `DotTiles::run` makes one, having checked that output + C <= p.rows and that `w` is
        // p.len() long; `x` is R · p.cols long.
        let sums = unsafe { chains::<S, R, C>(s, tiles.p, x, tiles.w, tiles.output) };
        for (r, sums) in sums.into_iter().enumerate() {
            for (c, sum) in sums.into_iter().enumerate() {
                s.store(sum, &mut tiles.to[(sample + r) * outputs + tiles.output + c]);
            }
        }
    }
}

/// The outputs of one sample from output `output` on.
struct SampleOutputs<'a> {
    p: Panels,
    x: &'a [f32],
    w: &'a [f32],
    output: usize,
    /// Empty where there is none.
    bias: &'a [f32],
    floor: f32,
    y: &'a mut [f32],
}

impl SampleOutputs<'_> {
    /// The next `C` of them, in a function of its own; returns `C`.
    #[inline(always)]
    fn outputs<S: Simd, const C: usize>(self, s: S) -> usize {
        s.call(Outputs::<C>(self));
        C
    }
}

/// `C` outputs of one sample.
struct Outputs<'a, const C: usize>(SampleOutputs<'a>);

impl<const C: usize> Kernel for Outputs<'_, C> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let SampleOutputs { p, x, w, output, bias, floor, y } = self.0;
        // SAFETY: only `one_sample` makes one: it has checked that `x` is p.cols long and `w` p.len(), and
        // its loop keeps output + C <= p.rows.
        let [sums] = unsafe { chains::<S, 1, C>(s, p, x, w, output) };
        let mut vectors = [s.splat(0.0); LANES];
        vectors[..C].copy_from_slice(&sums);
        let bias = s.load_part(&bias[output.min(bias.len())..]);
        let value = s.max(s.splat(floor), s.add(sum_lanes_of::<S, C>(s, vectors), bias));
        s.store_part(value, &mut y[output..output + C]);
    }
}

/// The sixteen chains of each of `C` outputs from `output` on, for each of the `R` samples in `x`.
///
/// # Safety
/// `output + C <= p.rows`, `w.len() == p.len()` and `x.len() == R * p.cols`, where `p` has the outputs as
/// rows.
#[inline(always)]
unsafe fn chains<S: Simd, const R: usize, const C: usize>(
    s: S,
    p: Panels,
    x: &[f32],
    w: &[f32],
    output: usize,
) -> [[S::F; C]; R] {
    let Panels { rows: outputs, cols: inputs, .. } = p;
    let mut from = x.as_ptr();
    let mut to_load = w.as_ptr().wrapping_add(output * Panels::WIDTH);
    let mut sums = [[s.splat(0.0); C]; R];
    let mut total = ChainedTile::<S, R, C>::zero(s, inputs);
    let whole = inputs / Panels::WIDTH;
    // Vectors of a chain, two a panel, and panels whose chains are added as they are.
    let (long, at_once) = if inputs > LONG_CHAIN { (true, CHAIN / 2) } else { (false, whole.max(1)) };
    let mut group = ChainedTile::<S, R, C>::zero(s, 0);
    for first in (0..whole).step_by(at_once) {
        for _ in first..whole.min(first + at_once) {
            for half in [0, LANES] {
                let mut weights = [s.splat(0.0); C];
                for (c, weights) in weights.iter_mut().enumerate() {
                    // SAFETY: row output + c < p.rows of a whole panel, whose rows are two vectors.
                    *weights = unsafe { s.load_ptr(to_load.wrapping_add(c * Panels::WIDTH + half)) };
                }
                for (r, sums) in sums.iter_mut().enumerate() {
                    // SAFETY: r < R, and the columns of whole panels are at most p.cols.
                    let x = unsafe { s.load_ptr(from.wrapping_add(r * inputs + half)) };
                    if R > 1 {
                        // The next samples, too: a batch seldom lies in a near cache, and several rows
                        // side by side are no pattern that the processor sees by itself.
                        s.prefetch(from.wrapping_add((R + r) * inputs + half));
                    }
                    for (sum, weights) in sums.iter_mut().zip(weights) {
                        *sum = s.fma(x, weights, *sum);
                    }
                }
            }
            from = from.wrapping_add(Panels::WIDTH);
            to_load = to_load.wrapping_add(outputs * Panels::WIDTH);
        }
        if long {
            group.add(s, sums);
            sums = [[s.splat(0.0); C]; R];
            if (first + at_once).is_multiple_of(CHAIN_GROUP / 2) {
                total.add(s, group.totals());
                group = ChainedTile::zero(s, 0);
            }
        }
    }
    let panel = inputs / Panels::WIDTH;
    for column in (panel * Panels::WIDTH..inputs).step_by(LANES) {
        let lanes = (inputs - column).min(LANES);
        let width = p.width(panel);
        let at = p.offset(panel) + output * width + column % Panels::WIDTH;
        for (r, sums) in sums.iter_mut().enumerate() {
            let x = s.load_part(&x[r * inputs + column..][..lanes]);
            for (c, sum) in sums.iter_mut().enumerate() {
                *sum = s.fma(x, s.load_part(&w[at + c * width..][..LANES]), *sum);
            }
        }
    }
    if long {
        group.add(s, sums);
        total.add(s, group.totals());
        sums = total.totals();
    }
    sums
}
