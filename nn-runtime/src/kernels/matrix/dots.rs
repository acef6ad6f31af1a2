//! Forward where there are few outputs: the lanes are inputs, and what is in them is added up at the end.
//! Comes in: samples and a turned matrix; goes out: outputs, one row a sample.
//! Every output is sixteen chains, one of every sixteenth input, and their sum by pairs, whatever the batch and the tile.
//! Never a padded column in the outputs.

use super::{FEW, Panels, Product};
use crate::kernels::simd::{Kernel, LANES, Simd};

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
            let all = waiting.0.as_chunks().0.iter().zip(bias.as_chunks().0);
            for (y, (sums, bias)) in y.chunks_mut(LANES).zip(all) {
                // The floor first: where the other is NaN, `max` gives the second.
                let value = s.max(s.splat(floor), s.add(add_up(s, sums), s.load(bias)));
                s.store_part(value, y);
            }
        }
    }
}

/// The sum of the lanes of each vector in its place: of pairs of neighbours, then of pairs of those sums, and so on.
#[inline(always)]
fn add_up<S: Simd>(s: S, vectors: &[[f32; LANES]; LANES]) -> S::F {
    let mut sums = [s.splat(0.0); LANES];
    for (sum, vector) in sums.iter_mut().zip(vectors) {
        *sum = s.load(vector);
    }
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
        let mut x = tiles.x[sample * inputs..(sample + R) * inputs].as_ptr();
        let mut w = tiles.w.as_ptr().wrapping_add(tiles.output * Panels::WIDTH);
        let mut sums = [[s.splat(0.0); C]; R];
        for _ in 0..inputs / Panels::WIDTH {
            for half in [0, LANES] {
                let mut weights = [s.splat(0.0); C];
                for (c, weights) in weights.iter_mut().enumerate() {
                    // SAFETY: `Tiles::run` has checked that the panel has these rows, each of two vectors.
                    *weights = unsafe { s.load_ptr(w.wrapping_add(c * Panels::WIDTH + half)) };
                }
                for (r, sums) in sums.iter_mut().enumerate() {
                    // SAFETY: the slice above has these samples, each with as many inputs as the whole panels have columns.
                    let x = unsafe { s.load_ptr(x.wrapping_add(r * inputs + half)) };
                    for (sum, weights) in sums.iter_mut().zip(weights) {
                        *sum = s.fma(x, weights, *sum);
                    }
                }
            }
            x = x.wrapping_add(Panels::WIDTH);
            w = w.wrapping_add(outputs * Panels::WIDTH);
        }
        let panel = inputs / Panels::WIDTH;
        for column in (panel * Panels::WIDTH..inputs).step_by(LANES) {
            let lanes = (inputs - column).min(LANES);
            let width = tiles.p.width(panel);
            let at = tiles.p.offset(panel) + tiles.output * width + column % Panels::WIDTH;
            for (r, sums) in sums.iter_mut().enumerate() {
                let x = s.load_part(&tiles.x[(sample + r) * inputs + column..][..lanes]);
                for (c, sum) in sums.iter_mut().enumerate() {
                    *sum = s.fma(x, s.load_part(&tiles.w[at + c * width..][..LANES]), *sum);
                }
            }
        }
        for (r, sums) in sums.into_iter().enumerate() {
            for (c, sum) in sums.into_iter().enumerate() {
                s.store(sum, &mut tiles.to[(sample + r) * outputs + tiles.output + c]);
            }
        }
    }
}
