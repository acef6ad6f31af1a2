//! From sums of 32 bits to codes, by the rule of XNNPACK, LiteRT's default: the sum as `f32`, times one
//! `f32` scale, rounded to the nearest whole number, ties to even, plus the code of zero, within bounds.

use super::panels::WIDTH;
use crate::simd::Simd;
use crate::simd::int8::Int8Simd;

/// What makes codes of the sums of a layer.
///
/// The bias of an output has what makes sums of codes sums of numbers: `bias − zero of the input · Σ
/// weights`.
#[derive(Clone, Copy, Debug)]
pub struct Requantize<'a> {
    /// Added to each sum; as many as there are outputs in whole panels.
    pub bias: &'a [i32],
    /// `scale of the input · scale of the weights / scale of the output`; as many.
    pub scale: &'a [f32],
    /// The code of zero in the output.
    pub zero: u8,
    /// The least and the largest code, between which an activation may be.
    pub bounds: [u8; 2],
}

impl<'a> Requantize<'a> {
    /// What is asked of one panel.
    #[inline(always)]
    pub(super) fn panel(&self, panel: usize) -> RequantizePanel<'a> {
        let (bias, scale) = (self.bias.as_chunks::<WIDTH>().0, self.scale.as_chunks::<WIDTH>().0);
        RequantizePanel { bias: &bias[panel], scale: &scale[panel], zero: self.zero, bounds: self.bounds }
    }

    /// That there are biases and scales for whole panels of so many outputs.
    pub(super) fn check(&self, padded: usize) {
        assert!(
            self.bias.len() == padded && self.scale.len() == padded,
            "expected {padded} biases and scales, found {} and {}",
            self.bias.len(),
            self.scale.len()
        );
        assert!(self.bounds[0] <= self.bounds[1], "expected the least code first");
    }
}

/// The same for sixteen outputs.
#[derive(Clone, Copy)]
pub(super) struct RequantizePanel<'a> {
    bias: &'a [i32; WIDTH],
    scale: &'a [f32; WIDTH],
    zero: u8,
    bounds: [u8; 2],
}

impl RequantizePanel<'_> {
    /// The codes of sixteen sums.
    #[inline(always)]
    pub(super) fn codes<S: Int8Simd>(&self, s: S, sums: <S::Base as Simd>::I) -> [u8; WIDTH] {
        let b = s.base();
        let sums = b.to_f(b.add_i(sums, b.load_i(self.bias)));
        codes(s, b.mul(sums, b.load(self.scale)), self.zero, self.bounds)
    }
}

/// The codes of sixteen numbers in units of the output's scale. Bounds are whole, so that it is the same
/// before rounding as after; NaN is the least code.
#[inline(always)]
pub(super) fn codes<S: Int8Simd>(s: S, x: <S::Base as Simd>::F, zero: u8, [least, most]: [u8; 2]) -> [u8; WIDTH] {
    let (b, shift) = (s.base(), f32::from(zero));
    let x = b.max(x, b.splat(f32::from(least) - shift));
    let x = b.min(x, b.splat(f32::from(most) - shift));
    s.narrow(b.add_i(b.to_i(x), b.splat_i(i32::from(zero))))
}
