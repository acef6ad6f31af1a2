//! Sigmoids and hyperbolic tangents as fractions, so that several can share one division, the dearest of
//! operations. In: a token and vectors; out: numerators over denominators.

use core::f32::consts::LOG2_E;

use super::{EXPONENT, ONE, SHIFTER, reduce_times, with_sign};
use crate::simd::Simd;

/// tanh x = x·P(x²) / Q(x²), the lowest powers first: minimax, 2^-24 of it for |x| <= 9.02.
const TANH_ABOVE: [f32; 6] = [0.999_999_94, 0.129_179_72, 2.919_412e-3, 9.255_136e-6, -1.274_384_4e-8, 1.816_252_4e-11];
const TANH_BELOW: [f32; 4] = [1.0, 0.462_512_55, 2.375_764e-2, 2.279_138e-4];

/// (2^f − 1) / f for |f| <= ½, the lowest power first: minimax, 2^-23 of 2^f.
#[expect(clippy::approx_constant, reason = "ln 2 is not the best of fits")]
const EXP_2_LESS: [f32; 5] = [0.693_147, 0.240_222_42, 5.550_733_6e-2, 9.671_513e-3, 1.326_472_7e-3];

/// From here on a sigmoid is what it is here: 4e-18 below, and 1 above.
const SIGMOID_END: f32 = 40.0;

/// A quotient that is still to be taken.
#[derive(Clone, Copy)]
pub struct Fraction<F> {
    /// The numerator.
    pub above: F,
    /// The denominator.
    pub below: F,
}

/// tanh x as (1 − e^−2|x|) / (1 + e^−2|x|) with the sign of x: the quotient is at most 2.7 ulp off.
#[inline(always)]
pub fn tanh_of_powers<S: Simd>(s: S, x: S::F) -> Fraction<S::F> {
    let one = s.splat(1.0);
    // From 9.02 on the nearest float to tanh is 1.
    let ([n], [r]) = reduce_times(s, [-2.0], [s.min(s.splat(9.1), s.abs(x))]);
    let power = s.from_bits(s.add_i(n, s.splat_i(ONE)));
    let less = s.fma(power, r, s.sub(power, one));
    // Not from `less`, to wait for one operation less.
    let below = s.fma(power, r, s.add(power, one));
    Fraction { above: with_sign(s, s.abs(less), x), below }
}

/// tanh x as a fraction of polynomials, of which the denominator, from 1 to 320, is ready soonest: the
/// quotient is at most 6 ulp off, and at most 2 ulp beyond 1.
#[inline(always)]
pub fn tanh_fraction<S: Simd>(s: S, x: S::F) -> Fraction<S::F> {
    // The limits stand first: where x is NaN, `min` and `max` give the second.
    let x = s.max(s.splat(-9.02), s.min(s.splat(9.02), x));
    let ([a, b, c, d, e, f], [i, j, k, l]) = (TANH_ABOVE.map(|c| s.splat(c)), TANH_BELOW.map(|c| s.splat(c)));
    let y = s.mul(x, x);
    let square = s.mul(y, y);
    let below = s.fma(square, s.fma(l, y, k), s.fma(j, y, i));
    let high = s.fma(square, s.fma(f, y, e), s.fma(d, y, c));
    let above = s.fma(square, high, s.fma(b, y, a));
    Fraction { above: s.mul(x, above), below }
}

/// 1 + e^−x, of which a sigmoid is the inverse, for several: from 1 to 2.4e17, where x is taken as ±40 beyond
/// them. The inverse is at most 3 ulp off from −1 on, and 12 at −40; without fused multiply-add 36.
#[inline(always)]
pub fn sigmoid_inverses<S: Simd, const N: usize>(s: S, x: [S::F; N]) -> [S::F; N] {
    let [a, b, c, d, e] = EXP_2_LESS.map(|c| s.splat(c));
    let (one, scale, shifter) = (s.splat(1.0), s.splat(-LOG2_E), s.splat(SHIFTER));
    // Operation by operation: in that order no instruction waits long for another, and a processor sees only
    // so many. Sums are in an order that takes fewest operations one after the other.
    let x = x.map(|x| s.max(s.splat(-SIGMOID_END), s.min(s.splat(SIGMOID_END), x)));
    let shifted = x.map(|x| s.fma(x, scale, shifter));
    let whole = shifted.map(|shifted| s.sub(shifter, shifted));
    let mut out = whole;
    for (out, x) in out.iter_mut().zip(x) {
        *out = s.fma(x, scale, *out);
    }
    for (out, shifted) in out.iter_mut().zip(shifted) {
        let f = *out;
        let power = s.from_bits(s.add_i(s.shl_i::<EXPONENT>(s.bits(shifted)), s.splat_i(ONE)));
        let (square, first) = (s.mul(f, f), s.mul(f, power));
        let low = s.fma(first, s.fma(b, f, a), s.add(power, one));
        *out = s.fma(s.mul(first, square), s.fma(e, square, s.fma(d, f, c)), low);
    }
    out
}

/// The quotient of a fraction.
#[inline(always)]
pub fn quotient<S: Simd>(s: S, of: Fraction<S::F>) -> S::F {
    s.div(of.above, of.below)
}
