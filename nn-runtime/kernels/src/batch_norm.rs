//! Channels brought to mean 0 and deviation 1 over a whole batch. In: an `Isa`, how channels lie, whole batches as slices, one number
//! per channel; out: filled slices. Sums go sample after sample, so they follow from the batch alone.

use super::elementwise::{Map, fill};
use super::reduce::{Terms, column_sums, sums};
use super::simd::{Isa, Kernel, LANES, Simd};

/// How channels lie: every sample has `channels` times `inner` numbers next to each other.
#[derive(Clone, Copy, Debug)]
pub struct Channels {
    /// How many.
    pub channels: usize,
    /// Numbers of a sample that belong to one channel.
    pub inner: usize,
}

/// x, which goes with a mean that nobody reads.
struct Plain;

impl Terms<2, 1> for Plain {
    #[inline(always)]
    fn at<S: Simd>(&self, _: S, [x, _]: [S::F; 2]) -> [S::F; 1] {
        [x]
    }
}

/// (x − mean)².
struct Square;

impl Terms<2, 1> for Square {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [x, mean]: [S::F; 2]) -> [S::F; 1] {
        let x = s.sub(x, mean);
        [s.mul(x, x)]
    }
}

/// dy and dy·(x − mean).
struct Pulls;

impl Terms<3, 2> for Pulls {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [dy, x, mean]: [S::F; 3]) -> [S::F; 2] {
        [dy, s.mul(dy, s.sub(x, mean))]
    }
}

/// A term whose last operand is one number.
struct Fixed<'a, T>(&'a T, f32);

impl<T: Terms<2, M>, const M: usize> Terms<1, M> for Fixed<'_, T> {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> [S::F; M] {
        self.0.at(s, [x, s.splat(self.1)])
    }
}

impl<T: Terms<3, M>, const M: usize> Terms<2, M> for Fixed<'_, T> {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [a, b]: [S::F; 2]) -> [S::F; M] {
        self.0.at(s, [a, b, s.splat(self.1)])
    }
}

/// max((x − mean)·scale + shift, floor), in the order x, mean, scale, shift.
struct Scaled {
    floor: f32,
}

impl Map<4> for Scaled {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x, mean, scale, shift]: [S::F; 4]) -> S::F {
        // The floor stands first: where y is NaN, `max` gives the second.
        s.max(s.splat(self.floor), s.fma(s.sub(x, mean), scale, shift))
    }
}

/// dy·scale + (x − mean)·slope + shift, in the order dy, x, mean, scale, slope, shift.
struct Pulled;

impl Map<6> for Pulled {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [dy, x, mean, scale, slope, shift]: [S::F; 6]) -> S::F {
        s.fma(dy, scale, s.fma(s.sub(x, mean), slope, shift))
    }
}

/// A function whose last operands are one number each.
struct Constant<'a, T, const C: usize>(&'a T, [f32; C]);

impl<T: Map<4>> Map<1> for Constant<'_, T, 3> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        let [a, b, c] = self.1;
        self.0.apply(s, [x, s.splat(a), s.splat(b), s.splat(c)])
    }
}

impl<T: Map<6>> Map<2> for Constant<'_, T, 4> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [dy, x]: [S::F; 2]) -> S::F {
        let [a, b, c, d] = self.1;
        self.0.apply(s, [dy, x, s.splat(a), s.splat(b), s.splat(c), s.splat(d)])
    }
}

struct Moments<'a> {
    lay: Channels,
    x: &'a [f32],
    mean: &'a mut [f32],
    var: &'a mut [f32],
}

impl Kernel for Moments<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Moments { lay: Channels { channels, inner }, x, mean, var } = self;
        let n = (x.len() / channels) as f64;
        if inner == 1 {
            for first in (0..channels).step_by(LANES) {
                let [sums] = column_sums(s, &Plain, [x, &*mean], channels, first);
                mean[first..].iter_mut().zip(sums).for_each(|(mean, sum)| *mean = (sum / n) as f32);
                let [sums] = column_sums(s, &Square, [x, &*mean], channels, first);
                var[first..].iter_mut().zip(sums).for_each(|(var, sum)| *var = (sum / n) as f32);
            }
            return;
        }
        for c in 0..channels {
            let mut sum = 0.0;
            for x in x.chunks_exact(channels * inner) {
                sum += sums(s, &Fixed(&Plain, 0.0), [&x[c * inner..(c + 1) * inner]])[0];
            }
            mean[c] = (sum / n) as f32;
            let mut sum = 0.0;
            for x in x.chunks_exact(channels * inner) {
                sum += sums(s, &Fixed(&Square, mean[c]), [&x[c * inner..(c + 1) * inner]])[0];
            }
            var[c] = (sum / n) as f32;
        }
    }
}

struct Sums<'a> {
    lay: Channels,
    dy: &'a [f32],
    x: &'a [f32],
    mean: &'a [f32],
    plain: &'a mut [f32],
    along: &'a mut [f32],
}

impl Kernel for Sums<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Sums { lay: Channels { channels, inner }, dy, x, mean, plain, along } = self;
        if inner == 1 {
            for first in (0..channels).step_by(LANES) {
                let [a, b] = column_sums(s, &Pulls, [dy, x, mean], channels, first);
                plain[first..].iter_mut().zip(a).for_each(|(to, sum)| *to = sum as f32);
                along[first..].iter_mut().zip(b).for_each(|(to, sum)| *to = sum as f32);
            }
            return;
        }
        for c in 0..channels {
            let mut total = [0.0; 2];
            for (dy, x) in dy.chunks_exact(channels * inner).zip(x.chunks_exact(channels * inner)) {
                let of = c * inner..(c + 1) * inner;
                let [a, b] = sums(s, &Fixed(&Pulls, mean[c]), [&dy[of.clone()], &x[of]]);
                total = [total[0] + a, total[1] + b];
            }
            (plain[c], along[c]) = (total[0] as f32, total[1] as f32);
        }
    }
}

struct Apply<'a> {
    lay: Channels,
    x: &'a [f32],
    each: [&'a [f32]; 3],
    floor: f32,
    y: &'a mut [f32],
}

impl Kernel for Apply<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Apply { lay: Channels { channels, inner }, x, each: [mean, scale, shift], floor, y } = self;
        let scaled = Scaled { floor };
        for (x, y) in x.chunks_exact(channels * inner).zip(y.chunks_exact_mut(channels * inner)) {
            if inner == 1 {
                fill(s, &scaled, [x, mean, scale, shift], y);
                continue;
            }
            for (c, (x, y)) in x.chunks_exact(inner).zip(y.chunks_exact_mut(inner)).enumerate() {
                fill(s, &Constant(&scaled, [mean[c], scale[c], shift[c]]), [x], y);
            }
        }
    }
}

struct Pull<'a> {
    lay: Channels,
    dy: &'a [f32],
    x: &'a [f32],
    each: [&'a [f32]; 4],
    dx: &'a mut [f32],
}

impl Kernel for Pull<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Pull { lay: Channels { channels, inner }, dy, x, each: [mean, scale, slope, shift], dx } = self;
        let sample = channels * inner;
        for ((dy, x), dx) in dy.chunks_exact(sample).zip(x.chunks_exact(sample)).zip(dx.chunks_exact_mut(sample)) {
            if inner == 1 {
                fill(s, &Pulled, [dy, x, mean, scale, slope, shift], dx);
                continue;
            }
            let pieces = dy.chunks_exact(inner).zip(x.chunks_exact(inner)).zip(dx.chunks_exact_mut(inner));
            for (c, ((dy, x), dx)) in pieces.enumerate() {
                fill(s, &Constant(&Pulled, [mean[c], scale[c], slope[c], shift[c]]), [dy, x], dx);
            }
        }
    }
}

/// The mean and the (biased) variance of every channel.
pub fn moments(isa: Isa, lay: Channels, x: &[f32], mean: &mut [f32], var: &mut [f32]) {
    isa.run(Moments { lay, x, mean, var });
}

/// Of every channel Σ dy, and Σ dy·(x − mean).
pub fn gradient_sums(
    isa: Isa,
    lay: Channels,
    dy: &[f32],
    x: &[f32],
    mean: &[f32],
    plain: &mut [f32],
    along: &mut [f32],
) {
    isa.run(Sums { lay, dy, x, mean, plain, along });
}

/// y = max((x − mean)·scale + shift, floor), channel by channel.
pub fn scale_channels(
    isa: Isa,
    lay: Channels,
    x: &[f32],
    [mean, scale, shift]: [&[f32]; 3],
    floor: f32,
    y: &mut [f32],
) {
    isa.run(Apply { lay, x, each: [mean, scale, shift], floor, y });
}

/// dx = dy·scale + (x − mean)·slope + shift, channel by channel.
pub fn channels_backward(
    isa: Isa,
    lay: Channels,
    dy: &[f32],
    x: &[f32],
    [mean, scale, slope, shift]: [&[f32]; 4],
    dx: &mut [f32],
) {
    isa.run(Pull { lay, dy, x, each: [mean, scale, slope, shift], dx });
}
