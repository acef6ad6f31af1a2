//! The largest number of each window, and where it stood; backward, the gradient goes there. Images come in;
//! maxima and their positions go out. Of equal numbers the first counts, row by row; a NaN beats every
//! number.

use super::Pool;
use crate::simd::{Isa, Kernel, LANE_INDEX, LANES, Simd};

/// `y[c, p]` is the largest `x` that window p sees in channel c, for each sample.
///
/// `argmax` is empty, or as long as `y`: then it is given the position of each maximum, `row · width +
/// column`, as the bits of its numbers. Of equal numbers it is the first, row by row, of several NaN the
/// last, as in PyTorch.
///
/// ```
/// use nn_kernels::{pool::{Pool, max_pool, max_pool_backward}, simd::Isa};
/// let (isa, p) = (Isa::detect(), Pool::new([1, 2, 4], [2, 2]));
/// let (mut y, mut argmax, mut dx) = ([0.0; 2], [0.0; 2], [0.0; 8]);
/// max_pool(isa, p, &[1.0, 2.0, 0.0, 0.0, 3.0, 0.0, 0.0, 5.0], &mut y, &mut argmax);
/// assert_eq!((y, argmax.map(f32::to_bits)), ([3.0, 5.0], [4, 7]));
/// max_pool_backward(isa, p, &[0.5, 0.25], &argmax, &mut dx);
/// assert_eq!(dx, [0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.25]);
/// ```
///
/// # Panics
/// `x.len() != b * p.x_len() || y.len() != b * p.y_len()` for every `b`;
/// `!argmax.is_empty() && argmax.len() != y.len()`.
pub fn max_pool(isa: Isa, p: Pool, x: &[f32], y: &mut [f32], argmax: &mut [f32]) {
    p.batch(x, y);
    assert!(
        argmax.is_empty() || argmax.len() == y.len(),
        "expected {} positions or none, found {}",
        y.len(),
        argmax.len()
    );
    isa.run(MaxPool { p, strides: [p.width, 1], x, y, argmax });
}

/// The same for one image with channels first, within a kernel: `strides` are from one position to the next
/// below and to the right, as `argmax` counts. `x` may be longer than the image.
#[inline(always)]
pub(crate) fn max_of_image<S: Simd>(s: S, p: Pool, x: &[f32], strides: [usize; 2], y: &mut [f32], argmax: &mut [f32]) {
    // In a function of its own: so little is in use that it stays in registers.
    s.call(MaxPool { p, strides, x, y, argmax });
}

struct MaxPool<'a> {
    p: Pool,
    /// From one position of inputs to the next below and to the right, as `argmax` counts.
    strides: [usize; 2],
    x: &'a [f32],
    y: &'a mut [f32],
    argmax: &'a mut [f32],
}

impl Kernel for MaxPool<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let p = self.p;
        let (images, channels) = p.images(self.y.len() / p.y_len() * p.x_len());
        let [height, width] = p.output();
        let (x_len, y_len) = (p.height * p.width * channels, height * width * channels);
        let vectors = !cfg!(feature = "small") && channels == 1 && p.stride[1] <= 2;
        let inside = if vectors { p.inside() } else { 0..0 };
        for image in 0..images {
            let range = image * y_len..(image + 1) * y_len;
            let mut image = ImageMaxima {
                p,
                strides: self.strides,
                channels,
                // To the end of the batch: a vector may reach into the next image, and its last lanes are not
                // used then.
                x: &self.x[image * x_len..],
                argmax: if self.argmax.is_empty() { &mut [] } else { &mut self.argmax[range.clone()] },
                y: &mut self.y[range],
            };
            for oy in 0..height {
                for ox in (0..inside.start).chain(inside.end.max(inside.start)..width) {
                    image.window(s, [oy, ox], oy * width + ox);
                }
                for ox in inside.clone().step_by(LANES) {
                    let lanes = (inside.end - ox).min(LANES);
                    image.neighbouring_windows(s, [oy, ox], oy * width + ox, lanes);
                }
            }
        }
    }
}

/// A maximum so far and where it stood.
pub(crate) struct RunningMax<S: Simd> {
    pub value: S::F,
    pub at: S::I,
}

impl<S: Simd> RunningMax<S> {
    /// Takes `value` where it is larger or NaN.
    #[inline(always)]
    pub(crate) fn update(&mut self, s: S, value: S::F, at: S::I) {
        let better = s.or_m(s.gt(value, self.value), s.not_m(s.eq(value, value)));
        self.value = s.select(better, value, self.value);
        let chosen = s.select(better, s.from_bits(at), s.from_bits(self.at));
        self.at = s.bits(chosen);
    }
}

/// The maxima of one image, with `channels` side by side.
struct ImageMaxima<'a> {
    p: Pool,
    strides: [usize; 2],
    channels: usize,
    x: &'a [f32],
    y: &'a mut [f32],
    argmax: &'a mut [f32],
}

impl ImageMaxima<'_> {
    /// Window `[oy, ox]`, which is number `to`, whatever the border: lanes are the channels.
    #[inline(always)]
    fn window<S: Simd>(&mut self, s: S, [oy, ox]: [usize; 2], to: usize) {
        let ImageMaxima { p, strides, channels, x, .. } = *self;
        let (rows, columns) = (p.sees(0, oy), p.sees(1, ox));
        let to = to * channels;
        if channels == 1 {
            let mut value = x[rows.start * p.width + columns.start];
            let mut best = rows.start * strides[0] + columns.start * strides[1];
            for row in rows {
                let start = row * p.width;
                for (column, x) in columns.clone().zip(&x[start + columns.start..start + columns.end]) {
                    if *x > value || x.is_nan() {
                        (value, best) = (*x, row * strides[0] + column * strides[1]);
                    }
                }
            }
            self.y[to] = value;
            if let Some(argmax) = self.argmax.get_mut(to) {
                *argmax = f32::from_bits(best as u32);
            }
            return;
        }
        for channel in (0..channels).step_by(LANES) {
            let lanes = (channels - channel).min(LANES);
            let load = |at: usize| s.load_part(&x[at * channels + channel..at * channels + channel + lanes]);
            let index = |row: usize, column: usize| s.splat_i((row * strides[0] + column * strides[1]) as i32);
            let first = rows.start * p.width + columns.start;
            let mut best: RunningMax<S> = RunningMax { value: load(first), at: index(rows.start, columns.start) };
            for row in rows.clone() {
                for column in columns.clone() {
                    let value = load(row * p.width + column);
                    // The first is not taken for better than itself, unless it is NaN, which changes nothing.
                    best.update(s, value, index(row, column));
                }
            }
            let to = to + channel;
            s.store_part(best.value, &mut self.y[to..to + lanes]);
            if let Some(argmax) = self.argmax.get_mut(to..to + lanes) {
                s.store_part(s.from_bits(best.at), argmax);
            }
        }
    }

    /// As many windows of one row as there are `lanes`, of which the first is number `to`; all lie within the
    /// input.
    #[inline(always)]
    fn neighbouring_windows<S: Simd>(&mut self, s: S, [oy, ox]: [usize; 2], to: usize, lanes: usize) {
        let ImageMaxima { p, strides, x, .. } = *self;
        let stride = p.stride[1];
        let left = ox * stride - p.pad[2];
        let step = s.mul_i(s.load_i(&LANE_INDEX), s.splat_i((stride * strides[1]) as i32));
        let load = |from: usize| match x.get(from..from + LANES) {
            Some(x) => s.load_part(x),
            None => s.load_part(&x[from.min(x.len())..]),
        };
        let rows = p.sees(0, oy);
        let index = |row: usize, column: usize| s.splat_i((row * strides[0] + column * strides[1]) as i32);
        let at_start = s.add_i(step, index(rows.start, left));
        let mut best: RunningMax<S> = RunningMax { value: s.splat(f32::NEG_INFINITY), at: at_start };
        for row in rows {
            let from = row * p.width + left;
            let mut k = 0;
            while k < p.window[1] {
                let at = s.add_i(step, index(row, left + k));
                if stride == 1 {
                    best.update(s, load(from + k), at);
                    k += 1;
                    continue;
                }
                let (even, odd) = s.unzip(load(from + k), load(from + k + LANES));
                best.update(s, even, at);
                if k + 1 < p.window[1] {
                    best.update(s, odd, s.add_i(at, s.splat_i(strides[1] as i32)));
                }
                k += 2;
            }
        }
        s.store_part(best.value, &mut self.y[to..to + lanes]);
        if let Some(argmax) = self.argmax.get_mut(to..to + lanes) {
            s.store_part(s.from_bits(best.at), argmax);
        }
    }
}

/// `dx[c, i] = Σ_p dy[c, p]` over the windows p whose maximum stood at i, as `argmax` of [`max_pool`] says.
/// `dx` is overwritten.
///
/// # Panics
/// `dx.len() != b * p.x_len() || dy.len() != b * p.y_len()` for every `b`; `argmax.len() != dy.len()`; a
/// position in `argmax` that is not in the image.
pub fn max_pool_backward(_: Isa, p: Pool, dy: &[f32], argmax: &[f32], dx: &mut [f32]) {
    p.batch(dx, dy);
    assert!(argmax.len() == dy.len(), "expected {} positions, found {}", dy.len(), argmax.len());
    let (_, channels) = p.images(dx.len());
    let [height, width] = p.output();
    scatter([p.height * p.width * channels, height * width * channels, channels], dy, argmax, dx);
}

/// Gradients go where the maxima stood, image by image: numbers of an image, of what it becomes, channels.
pub(super) fn scatter([x_len, y_len, channels]: [usize; 3], dy: &[f32], argmax: &[f32], dx: &mut [f32]) {
    let outputs = dy.chunks_exact(y_len).zip(argmax.chunks_exact(y_len));
    for (dx, (dy, argmax)) in dx.chunks_exact_mut(x_len).zip(outputs) {
        dx.fill(0.0);
        for (dy, argmax) in dy.chunks_exact(channels).zip(argmax.chunks_exact(channels)) {
            for (channel, (dy, argmax)) in dy.iter().zip(argmax).enumerate() {
                dx[argmax.to_bits() as usize * channels + channel] += dy;
            }
        }
    }
}
