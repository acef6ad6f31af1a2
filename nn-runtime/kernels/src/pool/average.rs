//! The mean of each window; backward, the gradient goes to all it saw in equal parts. Images come in; means
//! or gradients go out. Sums are taken row by row, or where one window is the whole image in lanes.

use core::ops::Range;

use super::Pool;
use crate::compensated::WideSum;
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
        if !count_border {
            return self.sees(axis, o).len();
        }
        let size = if axis == 0 { self.height } else { self.width };
        let end = size + self.pad[2 * axis] + self.pad[2 * axis + 1] - self.beyond[axis];
        self.window[axis].min(end - o * self.stride[axis])
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
            let image = ImageMeans { p, channels, x };
            for oy in 0..height {
                for ox in inside.clone().step_by(LANES) {
                    let lanes = (inside.end - ox).min(LANES);
                    let divisor = p.divisor([oy, ox], self.count_border);
                    let means = image.neighbouring_windows(s, [oy, ox], divisor);
                    s.store_part(means, &mut y[oy * width + ox..oy * width + ox + lanes]);
                }
                for ox in (0..inside.start).chain(inside.end..width) {
                    let divisor = p.divisor([oy, ox], self.count_border);
                    image.window(s, [oy, ox], divisor, &mut y[(oy * width + ox) * channels..][..channels]);
                }
            }
        }
    }
}

/// The means of one image, with `channels` side by side.
#[derive(Clone, Copy)]
struct ImageMeans<'a> {
    p: Pool,
    channels: usize,
    x: &'a [f32],
}

impl ImageMeans<'_> {
    /// The means of sixteen windows of one row, from window `[oy, ox]` on, which lie within the input.
    #[inline(always)]
    fn neighbouring_windows<S: Simd>(self, s: S, [oy, ox]: [usize; 2], divisor: f32) -> S::F {
        let rows = self.p.sees(0, oy);
        if rows.len() * self.p.window[1] <= WideSum::<S>::CHAIN {
            let sums = self.sum_columns(s, rows, ox, Chain(s.splat(0.0)));
            return s.div(sums.0, s.splat(divisor));
        }
        wide_means(s, self.sum_columns(s, rows, ox, WideSum::zero(s)), divisor)
    }

    /// Adds what these windows see to `sums`: lanes are their columns.
    #[inline(always)]
    fn sum_columns<S: Simd, A: AddLanes<S>>(self, s: S, rows: Range<usize>, ox: usize, mut sums: A) -> A {
        let ImageMeans { p, x, .. } = self;
        let left = ox * p.stride[1] - p.pad[2];
        let load = |from: usize| s.load_part(&x[from.min(x.len())..]);
        for row in rows {
            let from = row * p.width + left;
            let mut k = 0;
            while k < p.window[1] {
                if p.stride[1] == 1 {
                    sums.add_lanes(s, load(from + k));
                    k += 1;
                    continue;
                }
                let (even, odd) = s.unzip(load(from + k), load(from + k + LANES));
                sums.add_lanes(s, even);
                if k + 1 < p.window[1] {
                    sums.add_lanes(s, odd);
                }
                k += 2;
            }
        }
        sums
    }

    /// The mean of window `[oy, ox]`, whatever the border, for each channel.
    #[inline(always)]
    fn window<S: Simd>(self, s: S, [oy, ox]: [usize; 2], divisor: f32, y: &mut [f32]) {
        let ImageMeans { p, channels, x } = self;
        let (rows, columns) = (p.sees(0, oy), p.sees(1, ox));
        let row = |row: usize| &x[(row * p.width + columns.start) * channels..(row * p.width + columns.end) * channels];
        if channels == 1 && columns.len() >= LANES {
            let mut sum = WideSum::zero(s);
            for row in rows.map(row) {
                for x in row.chunks(LANES) {
                    sum.add(s, s.load_part(x));
                }
            }
            y[0] = sum.sum(s) / divisor;
        } else if channels == 1 && rows.len() * columns.len() <= WideSum::<S>::CHAIN {
            let mut sum = 0.0;
            rows.map(row).for_each(|row| row.iter().for_each(|x| sum += x));
            y[0] = sum / divisor;
        } else if channels == 1 {
            let mut sum = 0.0;
            rows.map(row).for_each(|row| row.iter().for_each(|x| sum += f64::from(*x)));
            y[0] = (sum / f64::from(divisor)) as f32;
        } else {
            let long = rows.len() * columns.len() > WideSum::<S>::CHAIN;
            for (n, y) in y.chunks_mut(LANES).enumerate() {
                let places = rows.clone().map(row).flat_map(|row| row.chunks_exact(channels));
                let lanes = n * LANES..n * LANES + y.len();
                if long {
                    let mut sums = WideSum::zero(s);
                    for place in places {
                        sums.add(s, s.load_part(&place[lanes.clone()]));
                    }
                    s.store_part(wide_means(s, sums, divisor), y);
                } else {
                    let mut sum = s.splat(0.0);
                    for place in places {
                        sum = s.add(sum, s.load_part(&place[lanes.clone()]));
                    }
                    s.store_part(s.div(sum, s.splat(divisor)), y);
                }
            }
        }
    }
}

/// The means of the lanes of a long sum.
#[inline(always)]
pub(super) fn wide_means<S: Simd>(s: S, sums: WideSum<S>, divisor: f32) -> S::F {
    s.load(&sums.lanes(s).map(|sum| (sum / f64::from(divisor)) as f32))
}

/// Sums to which vectors are added, lane by lane.
trait AddLanes<S: Simd> {
    fn add_lanes(&mut self, s: S, x: S::F);
}

/// One chain of additions.
struct Chain<S: Simd>(S::F);

impl<S: Simd> AddLanes<S> for Chain<S> {
    #[inline(always)]
    fn add_lanes(&mut self, s: S, x: S::F) {
        self.0 = s.add(self.0, x);
    }
}

impl<S: Simd> AddLanes<S> for WideSum<S> {
    #[inline(always)]
    fn add_lanes(&mut self, s: S, x: S::F) {
        self.add(s, x);
    }
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
