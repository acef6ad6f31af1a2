//! Pools whose windows are no blocks side by side: with gaps, or so many parts of an input that it does not
//! divide into. Images come in; maxima with their places, means, or gradients go out. Channels lie in lanes
//! where they vary fastest; else the sums are a loop, in double precision.

use super::average::wide_means;
use super::max::{RunningMax, scatter};
use crate::compensated::WideSum;
use crate::simd::{Isa, Kernel, LANES, Simd};
use crate::sizes::product;

/// How windows stand along one axis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spacing {
    /// So many parts of the input, which overlap where they do not divide it: part `o` of `n` is from `o ·
    /// size / n`, rounded down, to `(o + 1) · size / n`, rounded up.
    Parts(usize),
    /// A window of so many places, `dilation` apart, which stands `out` times, `stride` apart, the first time
    /// `before` places before the input.
    Gaps {
        /// Places of a window.
        window: usize,
        /// From one place of a window to the next.
        dilation: usize,
        /// From one window to the next.
        stride: usize,
        /// Border before the input.
        before: usize,
        /// How often it stands.
        out: usize,
    },
}

/// A pool of such windows: sizes of one sample, and how windows stand along its height and width.
///
/// ```
/// use nn_kernels::{pool::{Spacing, UnevenPool, uneven_mean}, simd::Isa};
/// let along = [Spacing::Parts(1), Spacing::Parts(2)];
/// let p = UnevenPool { channels: 1, size: [1, 5], along, channels_last: false };
/// let mut y = [0.0; 2];
/// uneven_mean(Isa::detect(), p, &[1.0, 2.0, 3.0, 4.0, 5.0], &mut y);
/// assert_eq!(y, [2.0, 4.0]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnevenPool {
    /// Channels, each by itself.
    pub channels: usize,
    /// Rows and columns of the input.
    pub size: [usize; 2],
    /// How windows stand down and to the right.
    pub along: [Spacing; 2],
    /// Whether channels vary fastest in memory, or slowest.
    pub channels_last: bool,
}

/// The places of a window along one axis: the first, how many, how far apart.
#[derive(Clone, Copy)]
struct Places {
    first: usize,
    count: usize,
    apart: usize,
}

impl Places {
    #[inline(always)]
    fn at(self, n: usize) -> usize {
        self.first + n * self.apart
    }
}

impl Spacing {
    /// How often windows stand.
    const fn out(self) -> usize {
        match self {
            Spacing::Parts(out) | Spacing::Gaps { out, .. } => out,
        }
    }

    /// What window `o` sees of an input of `size`.
    fn places(self, size: usize, o: usize) -> Places {
        match self {
            Spacing::Parts(n) => {
                // Neither size is larger than a slice can be long; their product may be.
                let (size, n) = (size as u128, n as u128);
                let (first, end) = ((o as u128 * size / n) as usize, ((o as u128 + 1) * size).div_ceil(n) as usize);
                Places { first, count: end - first, apart: 1 }
            }
            Spacing::Gaps { window, dilation, stride, before, .. } => {
                let start = o * stride;
                // Places of the window before the input, and before its end.
                let skipped = before.saturating_sub(start).div_ceil(dilation).min(window);
                let until = (size + before).saturating_sub(start).div_ceil(dilation).min(window);
                let first = (start + skipped * dilation).saturating_sub(before);
                Places { first, count: until.saturating_sub(skipped), apart: dilation }
            }
        }
    }
}

impl UnevenPool {
    /// Height and width of the output.
    pub const fn output(&self) -> [usize; 2] {
        [self.along[0].out(), self.along[1].out()]
    }

    /// Numbers of one input, or `usize::MAX` where they are more.
    pub const fn x_len(&self) -> usize {
        product([self.channels, self.size[0], self.size[1]])
    }

    /// Numbers of one output, or `usize::MAX` where they are more.
    pub const fn y_len(&self) -> usize {
        let [height, width] = self.output();
        product([self.channels, height, width])
    }

    /// Checks lengths; the numbers of one image and of what it becomes, and its channels, which lie side
    /// by side.
    fn images(&self, x: &[f32], y: &[f32]) -> [usize; 3] {
        let (x_len, y_len) = (self.x_len(), self.y_len());
        assert!(x_len > 0 && y_len > 0, "expected sizes of at least 1, found {self:?}");
        let batch = x.len() / x_len;
        assert!(
            x.len() == batch * x_len && y.len() == product([batch, y_len]),
            "expected samples of {x_len} inputs and {y_len} outputs, found {} and {} numbers",
            x.len(),
            y.len()
        );
        let images = if self.channels_last { 1 } else { self.channels };
        [x_len / images, y_len / images, self.channels / images]
    }

    /// The rows and columns that window `[oy, ox]` sees.
    fn places(&self, [oy, ox]: [usize; 2]) -> [Places; 2] {
        let places = [self.along[0].places(self.size[0], oy), self.along[1].places(self.size[1], ox)];
        assert!(places[0].count > 0 && places[1].count > 0, "expected windows that see something, found {self:?}");
        places
    }
}

/// `y[c, p]` is the largest `x` that window p sees in channel c, for each sample; `argmax` as of
/// [`max_pool`](super::max_pool).
///
/// # Panics
/// `x.len() != b * p.x_len() || y.len() != b * p.y_len()` for every `b`; a size of 0; a window that sees
/// nothing; `!argmax.is_empty() && argmax.len() != y.len()`.
pub fn uneven_max_pool(isa: Isa, p: UnevenPool, x: &[f32], y: &mut [f32], argmax: &mut [f32]) {
    let lens = p.images(x, y);
    assert!(
        argmax.is_empty() || argmax.len() == y.len(),
        "expected {} positions or none, found {}",
        y.len(),
        argmax.len()
    );
    isa.run(UnevenMax { p, lens, x, y, argmax });
}

/// `dx[c, i] = Σ_p dy[c, p]` over the windows p whose maximum stood at i. `dx` is overwritten.
///
/// # Panics
/// As [`uneven_max_pool`]; a position in `argmax` that is not in the image.
pub fn uneven_max_pool_backward(_: Isa, p: UnevenPool, dy: &[f32], argmax: &[f32], dx: &mut [f32]) {
    assert!(argmax.len() == dy.len(), "expected {} positions, found {}", dy.len(), argmax.len());
    let lens = p.images(dx, dy);
    scatter(lens, dy, argmax, dx);
}

/// `y[c, p]` is the mean of what window p sees in channel c, for each sample.
///
/// # Panics
/// As [`uneven_max_pool`].
pub fn uneven_mean(isa: Isa, p: UnevenPool, x: &[f32], y: &mut [f32]) {
    let lens = p.images(x, y);
    isa.run(UnevenMean { p, lens, x, y });
}

/// `dx[c, i] = Σ_p dy[c, p] / count(p)` over the windows p that see i. `dx` is overwritten.
///
/// # Panics
/// As [`uneven_max_pool`].
pub fn uneven_mean_backward(isa: Isa, p: UnevenPool, dy: &[f32], dx: &mut [f32]) {
    let lens = p.images(dx, dy);
    isa.run(UnevenMeanBackward { p, lens, dy, dx });
}

struct UnevenMax<'a> {
    p: UnevenPool,
    /// Numbers of an image, of what it becomes, and its channels.
    lens: [usize; 3],
    x: &'a [f32],
    y: &'a mut [f32],
    argmax: &'a mut [f32],
}

impl Kernel for UnevenMax<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let UnevenMax { p, lens: [x_len, y_len, channels], x, y, argmax } = self;
        let ([height, width], columns_of_x) = (p.output(), p.size[1]);
        for (image, x) in x.chunks_exact(x_len).enumerate() {
            for oy in 0..height {
                for ox in 0..width {
                    let [rows, columns] = p.places([oy, ox]);
                    let to = image * y_len + (oy * width + ox) * channels;
                    for channel in (0..channels).step_by(LANES) {
                        let lanes = (channels - channel).min(LANES);
                        let first = rows.first * columns_of_x + columns.first;
                        let mut best: RunningMax<S> = RunningMax {
                            value: s.load_part(&x[first * channels + channel..][..lanes]),
                            at: s.splat_i(first as i32),
                        };
                        for row in 0..rows.count {
                            for column in 0..columns.count {
                                let place = rows.at(row) * columns_of_x + columns.at(column);
                                let value = s.load_part(&x[place * channels + channel..][..lanes]);
                                best.update(s, value, s.splat_i(place as i32));
                            }
                        }
                        let to = to + channel;
                        s.store_part(best.value, &mut y[to..to + lanes]);
                        if let Some(argmax) = argmax.get_mut(to..to + lanes) {
                            s.store_part(s.from_bits(best.at), argmax);
                        }
                    }
                }
            }
        }
    }
}

struct UnevenMean<'a> {
    p: UnevenPool,
    lens: [usize; 3],
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for UnevenMean<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let UnevenMean { p, lens: [x_len, y_len, channels], x, y } = self;
        let ([_, width], columns_of_x) = (p.output(), p.size[1]);
        for (x, y) in x.chunks_exact(x_len).zip(y.chunks_exact_mut(y_len)) {
            for (o, y) in y.chunks_exact_mut(channels).enumerate() {
                let [rows, columns] = p.places([o / width, o % width]);
                let divisor = (rows.count * columns.count) as f32;
                if channels == 1 {
                    let mut sum = 0.0;
                    for row in 0..rows.count {
                        for column in 0..columns.count {
                            sum += f64::from(x[rows.at(row) * columns_of_x + columns.at(column)]);
                        }
                    }
                    y[0] = (sum / f64::from(divisor)) as f32;
                    continue;
                }
                for channel in (0..channels).step_by(LANES) {
                    let lanes = (channels - channel).min(LANES);
                    let mut sums = WideSum::zero(s);
                    for row in 0..rows.count {
                        for column in 0..columns.count {
                            let place = rows.at(row) * columns_of_x + columns.at(column);
                            sums.add(s, s.load_part(&x[place * channels + channel..][..lanes]));
                        }
                    }
                    s.store_part(wide_means(s, sums, divisor), &mut y[channel..channel + lanes]);
                }
            }
        }
    }
}

struct UnevenMeanBackward<'a> {
    p: UnevenPool,
    lens: [usize; 3],
    dy: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for UnevenMeanBackward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let UnevenMeanBackward { p, lens: [x_len, y_len, channels], dy, dx } = self;
        let ([_, width], columns_of_x) = (p.output(), p.size[1]);
        dx.fill(0.0);
        for (dx, dy) in dx.chunks_exact_mut(x_len).zip(dy.chunks_exact(y_len)) {
            for (o, dy) in dy.chunks_exact(channels).enumerate() {
                let [rows, columns] = p.places([o / width, o % width]);
                let divisor = (rows.count * columns.count) as f32;
                for row in 0..rows.count {
                    for column in 0..columns.count {
                        let place = rows.at(row) * columns_of_x + columns.at(column);
                        let dx = &mut dx[place * channels..][..channels];
                        for (dx, dy) in dx.chunks_mut(LANES).zip(dy.chunks(LANES)) {
                            let part = s.div(s.load_part(dy), s.splat(divisor));
                            s.store_part(s.add(s.load_part(dx), part), dx);
                        }
                    }
                }
            }
        }
    }
}
