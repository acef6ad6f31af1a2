//! Statistics of the channels of a batch, and their normalisation. In: an `Isa`, the layout of channels,
//! whole batches, one number a channel. Out: filled slices. Sums take the samples in their order.

use super::elementwise::{Map, fill};
use super::reduce::{Terms, column_sums, sums};
use super::simd::{Isa, Kernel, LANES, Simd};

/// The layout of channels: a sample is `[channels, inner]`.
#[derive(Clone, Copy, Debug)]
pub struct Channels {
    /// How many there are.
    pub channels: usize,
    /// Numbers of a sample that belong to one channel.
    pub inner: usize,
}

/// x, without its mean.
struct ChannelValue;

impl Terms<2, 1> for ChannelValue {
    #[inline(always)]
    fn at<S: Simd>(&self, _: S, [x, _]: [S::F; 2]) -> [S::F; 1] {
        [x]
    }
}

/// (x − mean)².
struct ChannelSquare;

impl Terms<2, 1> for ChannelSquare {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [x, mean]: [S::F; 2]) -> [S::F; 1] {
        let x = s.sub(x, mean);
        [s.mul(x, x)]
    }
}

/// dy and dy·(x − mean).
struct ChannelGradTerms;

impl Terms<3, 2> for ChannelGradTerms {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [dy, x, mean]: [S::F; 3]) -> [S::F; 2] {
        [dy, s.mul(dy, s.sub(x, mean))]
    }
}

/// Terms whose last operand is the same number everywhere.
struct FixedTerms<'a, T>(&'a T, f32);

impl<T: Terms<2, M>, const M: usize> Terms<1, M> for FixedTerms<'_, T> {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> [S::F; M] {
        self.0.at(s, [x, s.splat(self.1)])
    }
}

impl<T: Terms<3, M>, const M: usize> Terms<2, M> for FixedTerms<'_, T> {
    #[inline(always)]
    fn at<S: Simd>(&self, s: S, [a, b]: [S::F; 2]) -> [S::F; M] {
        self.0.at(s, [a, b, s.splat(self.1)])
    }
}

/// max((x − mean)·scale + shift, floor), in the order x, mean, scale, shift.
struct ScaleChannels {
    floor: f32,
}

impl Map<4> for ScaleChannels {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x, mean, scale, shift]: [S::F; 4]) -> S::F {
        // The floor is the first operand: where one is NaN, `max` returns the second.
        s.max(s.splat(self.floor), s.fma(s.sub(x, mean), scale, shift))
    }
}

/// dy·scale + (x − mean)·slope + shift, in the order dy, x, mean, scale, slope, shift.
struct ChannelInputGrad;

impl Map<6> for ChannelInputGrad {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [dy, x, mean, scale, slope, shift]: [S::F; 6]) -> S::F {
        s.fma(dy, scale, s.fma(s.sub(x, mean), slope, shift))
    }
}

/// A function whose last operands are the same numbers everywhere.
struct FixedOperands<'a, T, const C: usize>(&'a T, [f32; C]);

impl<T: Map<4>> Map<1> for FixedOperands<'_, T, 3> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        let [a, b, c] = self.1;
        self.0.apply(s, [x, s.splat(a), s.splat(b), s.splat(c)])
    }
}

impl<T: Map<6>> Map<2> for FixedOperands<'_, T, 4> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [dy, x]: [S::F; 2]) -> S::F {
        let [a, b, c, d] = self.1;
        self.0.apply(s, [dy, x, s.splat(a), s.splat(b), s.splat(c), s.splat(d)])
    }
}

struct ChannelMoments<'a> {
    layout: Channels,
    x: &'a [f32],
    mean: &'a mut [f32],
    var: &'a mut [f32],
}

impl Kernel for ChannelMoments<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ChannelMoments { layout: Channels { channels, inner }, x, mean, var } = self;
        let n = (x.len() / channels) as f64;
        if inner == 1 {
            for first in (0..channels).step_by(LANES) {
                let [sums] = column_sums(s, &ChannelValue, [x, &*mean], channels, first);
                mean[first..].iter_mut().zip(sums).for_each(|(mean, sum)| *mean = (sum / n) as f32);
                let [sums] = column_sums(s, &ChannelSquare, [x, &*mean], channels, first);
                var[first..].iter_mut().zip(sums).for_each(|(var, sum)| *var = (sum / n) as f32);
            }
            return;
        }
        for c in 0..channels {
            let mut sum = 0.0;
            for x in x.chunks_exact(channels * inner) {
                sum += sums(s, &FixedTerms(&ChannelValue, 0.0), [&x[c * inner..(c + 1) * inner]])[0];
            }
            mean[c] = (sum / n) as f32;
            let mut sum = 0.0;
            for x in x.chunks_exact(channels * inner) {
                sum += sums(s, &FixedTerms(&ChannelSquare, mean[c]), [&x[c * inner..(c + 1) * inner]])[0];
            }
            var[c] = (sum / n) as f32;
        }
    }
}

struct ChannelGradSums<'a> {
    layout: Channels,
    dy: &'a [f32],
    x: &'a [f32],
    mean: &'a [f32],
    plain: &'a mut [f32],
    along: &'a mut [f32],
}

impl Kernel for ChannelGradSums<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ChannelGradSums { layout: Channels { channels, inner }, dy, x, mean, plain, along } = self;
        if inner == 1 {
            for first in (0..channels).step_by(LANES) {
                let [a, b] = column_sums(s, &ChannelGradTerms, [dy, x, mean], channels, first);
                plain[first..].iter_mut().zip(a).for_each(|(to, sum)| *to = sum as f32);
                along[first..].iter_mut().zip(b).for_each(|(to, sum)| *to = sum as f32);
            }
            return;
        }
        for c in 0..channels {
            let mut total = [0.0; 2];
            for (dy, x) in dy.chunks_exact(channels * inner).zip(x.chunks_exact(channels * inner)) {
                let of = c * inner..(c + 1) * inner;
                let [a, b] = sums(s, &FixedTerms(&ChannelGradTerms, mean[c]), [&dy[of.clone()], &x[of]]);
                total = [total[0] + a, total[1] + b];
            }
            (plain[c], along[c]) = (total[0] as f32, total[1] as f32);
        }
    }
}

struct NormaliseChannels<'a> {
    layout: Channels,
    x: &'a [f32],
    each: [&'a [f32]; 3],
    floor: f32,
    y: &'a mut [f32],
}

impl Kernel for NormaliseChannels<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let NormaliseChannels { layout: Channels { channels, inner }, x, each: [mean, scale, shift], floor, y } = self;
        let scaled = ScaleChannels { floor };
        for (x, y) in x.chunks_exact(channels * inner).zip(y.chunks_exact_mut(channels * inner)) {
            if inner == 1 {
                fill(s, &scaled, [x, mean, scale, shift], y);
                continue;
            }
            for (c, (x, y)) in x.chunks_exact(inner).zip(y.chunks_exact_mut(inner)).enumerate() {
                fill(s, &FixedOperands(&scaled, [mean[c], scale[c], shift[c]]), [x], y);
            }
        }
    }
}

struct ChannelsBackward<'a> {
    layout: Channels,
    dy: &'a [f32],
    x: &'a [f32],
    each: [&'a [f32]; 4],
    dx: &'a mut [f32],
}

impl Kernel for ChannelsBackward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ChannelsBackward { layout: Channels { channels, inner }, dy, x, each: [mean, scale, slope, shift], dx } =
            self;
        let sample = channels * inner;
        for ((dy, x), dx) in dy.chunks_exact(sample).zip(x.chunks_exact(sample)).zip(dx.chunks_exact_mut(sample)) {
            if inner == 1 {
                fill(s, &ChannelInputGrad, [dy, x, mean, scale, slope, shift], dx);
                continue;
            }
            let pieces = dy.chunks_exact(inner).zip(x.chunks_exact(inner)).zip(dx.chunks_exact_mut(inner));
            for (c, ((dy, x), dx)) in pieces.enumerate() {
                fill(s, &FixedOperands(&ChannelInputGrad, [mean[c], scale[c], slope[c], shift[c]]), [dy, x], dx);
            }
        }
    }
}

/// The mean and the (biased) variance of every channel.
pub fn moments(isa: Isa, layout: Channels, x: &[f32], mean: &mut [f32], var: &mut [f32]) {
    isa.run(ChannelMoments { layout, x, mean, var });
}

/// Σ dy and Σ dy·(x − mean) of every channel.
pub fn gradient_sums(
    isa: Isa,
    layout: Channels,
    dy: &[f32],
    x: &[f32],
    mean: &[f32],
    plain: &mut [f32],
    along: &mut [f32],
) {
    isa.run(ChannelGradSums { layout, dy, x, mean, plain, along });
}

/// y = max((x − mean)·scale + shift, floor), channel by channel.
pub fn scale_channels(
    isa: Isa,
    layout: Channels,
    x: &[f32],
    [mean, scale, shift]: [&[f32]; 3],
    floor: f32,
    y: &mut [f32],
) {
    isa.run(NormaliseChannels { layout, x, each: [mean, scale, shift], floor, y });
}

/// dx = dy·scale + (x − mean)·slope + shift, channel by channel.
pub fn channels_backward(
    isa: Isa,
    layout: Channels,
    dy: &[f32],
    x: &[f32],
    [mean, scale, slope, shift]: [&[f32]; 4],
    dx: &mut [f32],
) {
    isa.run(ChannelsBackward { layout, dy, x, each: [mean, scale, slope, shift], dx });
}
