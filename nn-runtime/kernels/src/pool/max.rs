//! The largest number of each window, and where it stood; backward, the gradient goes there.
//! Comes in: images; goes out: maxima and places. Of equal numbers the first counts, row by row; a NaN beats every number.

use super::Pool;
use crate::simd::{Isa, Kernel, LANES, Simd};

/// `y[c, p]` is the largest `x` that window p sees in channel c, for each sample.
///
/// `at` is empty, or as long as `y`: then it is given the place of each maximum, `row · width + column`, as the bits of its numbers.
/// Of equal numbers it is the first, row by row, of several NaN the last, as in PyTorch.
///
/// ```
/// use nn_kernels::{pool::{Pool, max_pool, max_pool_backward}, simd::Isa};
/// let (isa, p) = (Isa::detect(), Pool::new([1, 2, 4], [2, 2]));
/// let (mut y, mut at, mut dx) = ([0.0; 2], [0.0; 2], [0.0; 8]);
/// max_pool(isa, p, &[1.0, 2.0, 0.0, 0.0, 3.0, 0.0, 0.0, 5.0], &mut y, &mut at);
/// assert_eq!((y, at.map(f32::to_bits)), ([3.0, 5.0], [4, 7]));
/// max_pool_backward(isa, p, &[0.5, 0.25], &at, &mut dx);
/// assert_eq!(dx, [0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.25]);
/// ```
///
/// # Panics
/// `x.len() != b * p.x_len() || y.len() != b * p.y_len()` for every `b`; `!at.is_empty() && at.len() != y.len()`.
pub fn max_pool(isa: Isa, p: Pool, x: &[f32], y: &mut [f32], at: &mut [f32]) {
    p.batch(x, y);
    assert!(at.is_empty() || at.len() == y.len(), "expected {} places or none, found {}", y.len(), at.len());
    isa.run(MaxPool { p, leaps: [p.width, 1], x, y, at });
}

/// The same for one image with channels first, within a kernel: `leaps` are from one place to the next below and to the right, in what
/// `at` is given. `x` may be longer than the image.
#[inline(always)]
pub(crate) fn max_of_image<S: Simd>(s: S, p: Pool, x: &[f32], leaps: [usize; 2], y: &mut [f32], at: &mut [f32]) {
    // In a function of its own: so little is in use that it stays in registers.
    s.call(MaxPool { p, leaps, x, y, at });
}

struct MaxPool<'a> {
    p: Pool,
    /// From one place of inputs to the next below and to the right, as `at` counts them.
    leaps: [usize; 2],
    x: &'a [f32],
    y: &'a mut [f32],
    at: &'a mut [f32],
}

impl Kernel for MaxPool<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let p = self.p;
        let (images, numbers) = p.images(self.y.len() / p.y_len() * p.x_len());
        let [height, width] = p.output();
        let (x_len, y_len) = (p.height * p.width * numbers, height * width * numbers);
        let inside = if numbers == 1 && p.stride[1] <= 2 { p.inside() } else { 0..0 };
        for image in 0..images {
            // To the end of the batch: a vector may reach into the next image, and its last lanes are then not asked for.
            let x = &self.x[image * x_len..];
            let y = &mut self.y[image * y_len..(image + 1) * y_len];
            let at = if self.at.is_empty() { &mut [] } else { &mut self.at[image * y_len..(image + 1) * y_len] };
            for oy in 0..height {
                for ox in (0..inside.start).chain(inside.end.max(inside.start)..width) {
                    place(s, p, self.leaps, x, numbers, [oy, ox], oy * width + ox, y, at);
                }
                for ox in inside.clone().step_by(LANES) {
                    let lanes = (inside.end - ox).min(LANES);
                    side_by_side(s, p, self.leaps, x, [oy, ox], oy * width + ox, lanes, y, at);
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
    #[inline(always)]
    pub(crate) fn update(&mut self, s: S, value: S::F, at: S::I) {
        let better = s.or_m(s.gt(value, self.value), s.not_m(s.eq(value, value)));
        self.value = s.select(better, value, self.value);
        let chosen = s.select(better, s.from_bits(at), s.from_bits(self.at));
        self.at = s.bits(chosen);
    }
}

/// One place of outputs, whatever the border: lanes are the numbers side by side.
#[allow(clippy::too_many_arguments, reason = "each is one side of the window")]
#[inline(always)]
fn place<S: Simd>(
    s: S,
    p: Pool,
    leaps: [usize; 2],
    x: &[f32],
    numbers: usize,
    [oy, ox]: [usize; 2],
    to: usize,
    y: &mut [f32],
    at: &mut [f32],
) {
    let (rows, columns) = (p.sees(0, oy), p.sees(1, ox));
    let to = to * numbers;
    if numbers == 1 {
        let mut value = x[rows.start * p.width + columns.start];
        let mut best = rows.start * leaps[0] + columns.start * leaps[1];
        for row in rows {
            let start = row * p.width;
            for (column, x) in columns.clone().zip(&x[start + columns.start..start + columns.end]) {
                if *x > value || x.is_nan() {
                    (value, best) = (*x, row * leaps[0] + column * leaps[1]);
                }
            }
        }
        y[to] = value;
        if let Some(at) = at.get_mut(to) {
            *at = f32::from_bits(best as u32);
        }
        return;
    }
    for channel in (0..numbers).step_by(LANES) {
        let lanes = (numbers - channel).min(LANES);
        let load = |place: usize| s.load_part(&x[place * numbers + channel..place * numbers + channel + lanes]);
        let index = |row: usize, column: usize| s.splat_i((row * leaps[0] + column * leaps[1]) as i32);
        let first = rows.start * p.width + columns.start;
        let mut best: RunningMax<S> = RunningMax { value: load(first), at: index(rows.start, columns.start) };
        for row in rows.clone() {
            for column in columns.clone() {
                let value = load(row * p.width + column);
                // Starting from the first, it must not be taken for better than itself, unless it is NaN, which changes nothing.
                best.update(s, value, index(row, column));
            }
        }
        let to = to + channel;
        s.store_part(best.value, &mut y[to..to + lanes]);
        if let Some(at) = at.get_mut(to..to + lanes) {
            s.store_part(s.from_bits(best.at), at);
        }
    }
}

/// The outputs of some columns of one row, whose windows lie within the input: lanes are these columns.
#[allow(clippy::too_many_arguments, reason = "each is one side of the window")]
#[inline(always)]
fn side_by_side<S: Simd>(
    s: S,
    p: Pool,
    leaps: [usize; 2],
    x: &[f32],
    [oy, ox]: [usize; 2],
    to: usize,
    lanes: usize,
    y: &mut [f32],
    at: &mut [f32],
) {
    const IOTA: [i32; LANES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    let stride = p.stride[1];
    let left = ox * stride - p.pad[2];
    let step = s.mul_i(s.load_i(&IOTA), s.splat_i((stride * leaps[1]) as i32));
    let load = |from: usize| match x.get(from..from + LANES) {
        Some(x) => s.load_part(x),
        None => s.load_part(&x[from.min(x.len())..]),
    };
    let rows = p.sees(0, oy);
    let index = |row: usize, column: usize| s.splat_i((row * leaps[0] + column * leaps[1]) as i32);
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
                best.update(s, odd, s.add_i(at, s.splat_i(leaps[1] as i32)));
            }
            k += 2;
        }
    }
    s.store_part(best.value, &mut y[to..to + lanes]);
    if let Some(at) = at.get_mut(to..to + lanes) {
        s.store_part(s.from_bits(best.at), at);
    }
}

/// `dx[c, i] = Σ_p dy[c, p]` over the windows p whose maximum stood at i, as `at` of [`max_pool`] says. `dx` is overwritten.
///
/// # Panics
/// `dx.len() != b * p.x_len() || dy.len() != b * p.y_len()` for every `b`; `at.len() != dy.len()`; a place in `at` that is not in
/// the image.
pub fn max_pool_backward(_: Isa, p: Pool, dy: &[f32], at: &[f32], dx: &mut [f32]) {
    p.batch(dx, dy);
    assert!(at.len() == dy.len(), "expected {} places, found {}", dy.len(), at.len());
    let (_, numbers) = p.images(dx.len());
    let [height, width] = p.output();
    let (x_len, y_len) = (p.height * p.width * numbers, height * width * numbers);
    let outputs = dy.chunks_exact(y_len).zip(at.chunks_exact(y_len));
    for (dx, (dy, at)) in dx.chunks_exact_mut(x_len).zip(outputs) {
        dx.fill(0.0);
        for (dy, at) in dy.chunks_exact(numbers).zip(at.chunks_exact(numbers)) {
            for (channel, (dy, at)) in dy.iter().zip(at).enumerate() {
                dx[at.to_bits() as usize * numbers + channel] += dy;
            }
        }
    }
}
