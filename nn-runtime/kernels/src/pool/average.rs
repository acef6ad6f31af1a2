//! The mean of each window; backward, the gradient goes to all it saw in equal parts. Images come in; means
//! or gradients go out. Sums are taken row by row, or where one window is the whole image in lanes.

use core::ops::Range;

use super::Pool;
use crate::simd::{Isa, Kernel, LANES, Simd};

/// `y[c, p]` is the mean of what window p sees in channel c, for each sample.
///
/// With `count_border` the border counts as zeros, as PyTorch does unless told otherwise; else only the
/// inputs count, as in Keras.
///
/// ```
/// use nn_kernels::{pool::{Pool, avg_pool, avg_pool_backward}, simd::Isa};
/// let (isa, p) = (Isa::detect(), Pool::new([1, 2, 4], [2, 2]));
/// let (mut y, mut dx) = ([0.0; 2], [0.0; 8]);
/// avg_pool(isa, p, true, &[1.0, 2.0, 0.0, 0.0, 3.0, 0.0, 0.0, 5.0], &mut y);
/// assert_eq!(y, [1.5, 1.25]);
/// avg_pool_backward(isa, p, true, &[4.0, 8.0], &mut dx);
/// assert_eq!(dx, [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
/// ```
///
/// # Panics
/// `x.len() != b * p.x_len() || y.len() != b * p.y_len()` for every `b`.
pub fn avg_pool(isa: Isa, p: Pool, count_border: bool, x: &[f32], y: &mut [f32]) {
    p.batch(x, y);
    isa.run(AvgPool { p, count_border, x, y });
}

/// `dx[c, i] = Σ_p dy[c, p] / count(p)` over the windows p that see i. `dx` is overwritten.
///
/// # Panics
/// `dx.len() != b * p.x_len() || dy.len() != b * p.y_len()` for every `b`.
pub fn avg_pool_backward(isa: Isa, p: Pool, count_border: bool, dy: &[f32], dx: &mut [f32]) {
    p.batch(dx, dy);
    isa.run(AvgPoolBackward { p, count_border, dy, dx });
}

impl Pool {
    /// Inputs along `axis` that the mean of output `o` counts.
    fn counts(&self, axis: usize, o: usize, count_border: bool) -> usize {
        if count_border { self.window[axis] } else { self.sees(axis, o).len() }
    }

    /// By how much the outputs of column `ox` and row `oy` divide.
    fn divisor(&self, [oy, ox]: [usize; 2], count_border: bool) -> f32 {
        (self.counts(0, oy, count_border) * self.counts(1, ox, count_border)) as f32
    }
}

struct AvgPool<'a> {
    p: Pool,
    count_border: bool,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for AvgPool<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let p = self.p;
        let (_, channels) = p.images(self.x.len());
        let [height, width] = p.output();
        let (x_len, y_len) = (p.height * p.width * channels, height * width * channels);
        // A single column is better summed along its windows.
        let inside = if channels == 1 && p.stride[1] <= 2 && width > 1 { p.inside() } else { 0..0 };
        for (x, y) in self.x.chunks_exact(x_len).zip(self.y.chunks_exact_mut(y_len)) {
            for oy in 0..height {
                for ox in inside.clone().step_by(LANES) {
                    let lanes = (inside.end - ox).min(LANES);
                    let sums = side_by_side(s, p, x, p.sees(0, oy), ox);
                    let divisor = s.splat(p.divisor([oy, ox], self.count_border));
                    s.store_part(s.div(sums, divisor), &mut y[oy * width + ox..oy * width + ox + lanes]);
                }
                for ox in (0..inside.start).chain(inside.end..width) {
                    let (rows, columns) = (p.sees(0, oy), p.sees(1, ox));
                    let divisor = p.divisor([oy, ox], self.count_border);
                    let y = &mut y[(oy * width + ox) * channels..][..channels];
                    let row = |row: usize| {
                        &x[(row * p.width + columns.start) * channels..(row * p.width + columns.end) * channels]
                    };
                    if channels == 1 && columns.len() >= LANES {
                        let mut sum = s.splat(0.0);
                        for row in rows.map(row) {
                            for x in row.chunks(LANES) {
                                sum = s.add(sum, s.load_part(x));
                            }
                        }
                        y[0] = s.sum(sum) / divisor;
                    } else if channels == 1 {
                        let mut sum = 0.0;
                        rows.map(row).for_each(|row| row.iter().for_each(|x| sum += x));
                        y[0] = sum / divisor;
                    } else {
                        for (n, y) in y.chunks_mut(LANES).enumerate() {
                            let mut sum = s.splat(0.0);
                            for place in rows.clone().map(row).flat_map(|row| row.chunks_exact(channels)) {
                                sum = s.add(sum, s.load_part(&place[n * LANES..n * LANES + y.len()]));
                            }
                            s.store_part(s.div(sum, s.splat(divisor)), y);
                        }
                    }
                }
            }
        }
    }
}

/// The sums of windows that lie within the input, from column `ox` of the outputs on: lanes are these
/// columns.
#[inline(always)]
fn side_by_side<S: Simd>(s: S, p: Pool, x: &[f32], rows: Range<usize>, ox: usize) -> S::F {
    let left = ox * p.stride[1] - p.pad[2];
    let load = |from: usize| s.load_part(&x[from.min(x.len())..]);
    let mut sum = s.splat(0.0);
    for row in rows {
        let from = row * p.width + left;
        let mut k = 0;
        while k < p.window[1] {
            if p.stride[1] == 1 {
                sum = s.add(sum, load(from + k));
                k += 1;
                continue;
            }
            let (even, odd) = s.unzip(load(from + k), load(from + k + LANES));
            sum = s.add(sum, even);
            if k + 1 < p.window[1] {
                sum = s.add(sum, odd);
            }
            k += 2;
        }
    }
    sum
}

struct AvgPoolBackward<'a> {
    p: Pool,
    count_border: bool,
    dy: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for AvgPoolBackward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let p = self.p;
        let (_, channels) = p.images(self.dx.len());
        let [height, width] = p.output();
        let (x_len, y_len) = (p.height * p.width * channels, height * width * channels);
        for (dx, dy) in self.dx.chunks_exact_mut(x_len).zip(self.dy.chunks_exact(y_len)) {
            dx.fill(0.0);
            for oy in 0..height {
                for ox in 0..width {
                    let columns = p.sees(1, ox);
                    let divisor = p.divisor([oy, ox], self.count_border);
                    let dy = &dy[(oy * width + ox) * channels..][..channels];
                    for row in p.sees(0, oy) {
                        let dx = &mut dx
                            [(row * p.width + columns.start) * channels..(row * p.width + columns.end) * channels];
                        if channels == 1 {
                            let part = dy[0] / divisor;
                            dx.iter_mut().for_each(|dx| *dx += part);
                            continue;
                        }
                        for place in dx.chunks_exact_mut(channels) {
                            for (dx, dy) in place.chunks_mut(LANES).zip(dy.chunks(LANES)) {
                                let part = s.div(s.load_part(dy), s.splat(divisor));
                                s.store_part(s.add(s.load_part(dx), part), dx);
                            }
                        }
                    }
                }
            }
        }
    }
}
