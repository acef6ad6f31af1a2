//! Forward where there are few outputs: the lanes are inputs, and what is in them is added up at the end.
//! Comes in: samples and a turned matrix; goes out: outputs, one row a sample.
//! Every output is sixteen chains, one of every sixteenth input, and their sum by pairs, whatever the batch and the tile.
//! Never a padded column in the outputs.

use super::{FEW, Panels, Product};
use crate::simd::{Kernel, LANES, Simd};

/// Vectors whose lanes wait to be added up: those of sixteen samples with half of the outputs, or of eight with all.
const WAITING: usize = LANES / 2 * FEW;

#[repr(align(64))]
struct Waiting([[f32; LANES]; WAITING]);

/// A [`Product`] with a turned matrix.
pub(super) struct Dots<'a>(pub Product<'a>);

impl Kernel for Dots<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if self.0.batch == 1 {
            return self.one(s);
        }
        let Product { p, batch, x: all_x, w, bias: of_outputs, floor, y: all_y } = self.0;
        // As it lies: its rows are the outputs.
        let p = p.stored();
        let Panels { rows: outputs, cols: inputs, .. } = p;
        let group = if 2 * outputs <= FEW { LANES } else { LANES / 2 };
        let mut waiting = Waiting([[0.0; LANES]; WAITING]);
        let mut bias = [0.0; WAITING];
        if let Some(from) = of_outputs {
            bias[..group * outputs].chunks_exact_mut(outputs).for_each(|to| to.copy_from_slice(from));
        }
        for first in (0..batch).step_by(group) {
            let samples = (batch - first).min(group);
            let x = &all_x[first * inputs..(first + samples) * inputs];
            let mut output = 0;
            while output < outputs {
                let tiles = Tiles { p, x, w, output, to: &mut waiting.0 };
                output += match outputs - output {
                    5.. => tiles.run::<S, 4, 5>(s),
                    4 => tiles.run::<S, 4, 4>(s),
                    2 | 3 => tiles.run::<S, 8, 2>(s),
                    _ => tiles.run::<S, 8, 1>(s),
                };
            }
            let y = &mut all_y[first * outputs..(first + samples) * outputs];
            let all = waiting.0.as_chunks::<LANES>().0.iter().zip(bias.as_chunks().0);
            for (y, (sums, bias)) in y.chunks_mut(LANES).zip(all) {
                let mut vectors = [s.splat(0.0); LANES];
                for (vector, sums) in vectors.iter_mut().zip(sums) {
                    *vector = s.load(sums);
                }
                // The floor first: where the other is NaN, `max` gives the second.
                let value = s.max(s.splat(floor), s.add(add_up(s, vectors), s.load(bias)));
                s.store_part(value, y);
            }
        }
    }
}

impl Dots<'_> {
    /// One sample, as many outputs at once as hide the latency of `fma`.
    #[inline(always)]
    fn one<S: Simd>(self, s: S) {
        let Product { p, x, w, bias, floor, y, .. } = self.0;
        let p = p.stored();
        assert!(x.len() == p.cols && y.len() == p.rows && w.len() == p.len());
        let mut output = 0;
        while output < p.rows {
            let one = One { p, x, w, output, bias: bias.unwrap_or(&[]), floor, y };
            output += match p.rows - output {
                10.. if const { S::REGISTERS >= 32 } => one.outputs::<S, 10>(s),
                5.. => one.outputs::<S, 5>(s),
                2..5 => one.outputs::<S, 2>(s),
                _ => one.outputs::<S, 1>(s),
            };
        }
    }
}

/// The sum of the lanes of each vector in its place: of pairs of neighbours, then of pairs of those sums, and so on.
#[inline(always)]
fn add_up<S: Simd>(s: S, mut sums: [S::F; LANES]) -> S::F {
    for left in [8, 4, 2, 1] {
        for k in 0..left {
            let (even, odd) = s.unzip(sums[2 * k], sums[2 * k + 1]);
            sums[k] = s.add(even, odd);
        }
    }
    sums[0]
}

/// Some samples, and the outputs from one on.
struct Tiles<'a> {
    p: Panels,
    x: &'a [f32],
    w: &'a [f32],
    output: usize,
    to: &'a mut [[f32; LANES]],
}

impl Tiles<'_> {
    /// The lanes of the next `C` outputs, which it gives back, for all samples: `R` at a time while there are so many.
    #[inline(always)]
    fn run<S: Simd, const R: usize, const C: usize>(mut self, s: S) -> usize {
        let samples = self.x.len() / self.p.cols;
        assert!(self.output + C <= self.p.rows && samples * self.p.rows <= WAITING && self.w.len() == self.p.len());
        let mut sample = 0;
        while sample < samples {
            if const { S::REGISTERS >= 32 } && sample + R <= samples {
                s.call(Tile::<R, C>(&mut self, sample));
                sample += R;
            } else {
                s.call(Tile::<1, C>(&mut self, sample));
                sample += 1;
            }
        }
        C
    }
}

/// One shape of tile, from a sample on, as a function of its own: only `Tiles::run` makes one, having checked that all are there.
struct Tile<'a, 'b, const R: usize, const C: usize>(&'a mut Tiles<'b>, usize);

impl<const R: usize, const C: usize> Kernel for Tile<'_, '_, R, C> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Tile(tiles, sample) = self;
        let Panels { rows: outputs, cols: inputs, .. } = tiles.p;
        let x = &tiles.x[sample * inputs..(sample + R) * inputs];
        // SAFETY: `Tiles::run` has checked the outputs and the weights, and the slice has these samples.
        let sums = unsafe { chains::<S, R, C>(s, tiles.p, x, tiles.w, tiles.output) };
        for (r, sums) in sums.into_iter().enumerate() {
            for (c, sum) in sums.into_iter().enumerate() {
                s.store(sum, &mut tiles.to[(sample + r) * outputs + tiles.output + c]);
            }
        }
    }
}

/// The outputs of one sample from one on.
struct One<'a> {
    p: Panels,
    x: &'a [f32],
    w: &'a [f32],
    output: usize,
    /// Empty where there is none.
    bias: &'a [f32],
    floor: f32,
    y: &'a mut [f32],
}

impl One<'_> {
    /// The next `C` of them, in a function of its own.
    #[inline(always)]
    fn outputs<S: Simd, const C: usize>(self, s: S) -> usize {
        s.call(Outputs::<C>(self));
        C
    }
}

/// `C` outputs of one sample: only `Dots::one` makes one, having checked that all are there.
struct Outputs<'a, const C: usize>(One<'a>);

impl<const C: usize> Kernel for Outputs<'_, C> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let One { p, x, w, output, bias, floor, y } = self.0;
        // SAFETY: `Dots::one` has checked the outputs and the weights, and `x` is one sample.
        let [sums] = unsafe { chains::<S, 1, C>(s, p, x, w, output) };
        let mut vectors = [s.splat(0.0); LANES];
        vectors[..C].copy_from_slice(&sums);
        let bias = s.load_part(&bias[output.min(bias.len())..]);
        let value = s.max(s.splat(floor), s.add(add_up(s, vectors), bias));
        s.store_part(value, &mut y[output..output + C]);
    }
}

/// The sixteen chains of each of `C` outputs from `output` on, for each of the `R` samples in `x`.
///
/// # Safety
/// `p` has these outputs, `w` is as long as `p`, and `x` holds `R` samples.
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
    for _ in 0..inputs / Panels::WIDTH {
        for half in [0, LANES] {
            let mut weights = [s.splat(0.0); C];
            for (c, weights) in weights.iter_mut().enumerate() {
                // SAFETY: the caller vouches for the panel's rows, each of two vectors.
                *weights = unsafe { s.load_ptr(to_load.wrapping_add(c * Panels::WIDTH + half)) };
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                // SAFETY: the caller vouches for the samples, each with as many inputs as the whole panels have columns.
                let x = unsafe { s.load_ptr(from.wrapping_add(r * inputs + half)) };
                for (sum, weights) in sums.iter_mut().zip(weights) {
                    *sum = s.fma(x, weights, *sum);
                }
            }
        }
        from = from.wrapping_add(Panels::WIDTH);
        to_load = to_load.wrapping_add(outputs * Panels::WIDTH);
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
    sums
}
