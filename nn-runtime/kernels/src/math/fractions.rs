//! Sigmoids and hyperbolic tangents as fractions, so that several share one division, the dearest of
//! operations. In: a token and vectors; out: numerators over denominators of 1 to 2, or the quotients of
//! several. NaN in any of a division's fractions makes all its quotients NaN.

use super::{ONE, reduce_times, with_sign};
use crate::simd::Simd;

/// A quotient that is still to be taken, with a denominator of 1 to 2.
#[derive(Clone, Copy)]
pub struct Fraction<F> {
    above: F,
    below: F,
}

/// What a fraction is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// 1 / (1 + e^−x). Below −87 it is what it is at −87, 1.6e-38.
    Sigmoid,
    /// (1 − e^−2|x|) / (1 + e^−2|x|) with the sign of x.
    Tanh,
}

/// Sigmoids and hyperbolic tangents as fractions.
#[inline(always)]
pub fn fractions<S: Simd, const N: usize>(s: S, of: [Of; N], x: [S::F; N]) -> [Fraction<S::F>; N] {
    let one = s.splat(1.0);
    let mut size = x;
    for i in 0..N {
        // From 9.02 on the nearest float to tanh is 1.
        size[i] = s.min(s.splat(if of[i] == Of::Tanh { 9.1 } else { 87.0 }), s.abs(x[i]));
    }
    let mut times = [-1.0; N];
    for i in 0..N {
        times[i] = if of[i] == Of::Tanh { -2.0 } else { -1.0 };
    }
    let (n, r) = reduce_times(s, times, size);
    let mut fractions = [Fraction { above: one, below: one }; N];
    for i in 0..N {
        let power = s.from_bits(s.add_i(n[i], s.splat_i(ONE)));
        fractions[i] = if of[i] == Of::Tanh {
            let less = s.fma(power, r[i], s.sub(power, one));
            // Not from `less`, to wait for one operation less.
            let below = s.fma(power, r[i], s.add(power, one));
            Fraction { above: with_sign(s, s.abs(less), x[i]), below }
        } else {
            let e = s.fma(power, r[i], power);
            Fraction { above: s.select(s.lt(x[i], s.splat(0.0)), e, one), below: s.add(one, e) }
        };
    }
    fractions
}

/// The quotient of a fraction.
#[inline(always)]
pub fn quotient<S: Simd>(s: S, of: Fraction<S::F>) -> S::F {
    s.div(of.above, of.below)
}

/// The quotients of two fractions, by one division: each at most 4.2 ulp off.
#[inline(always)]
pub fn two_quotients<S: Simd>(s: S, [a, b]: [Fraction<S::F>; 2]) -> [S::F; 2] {
    let (of_a, of_b) = (s.mul(a.above, b.below), s.mul(b.above, a.below));
    let inverse = s.div(s.splat(1.0), s.mul(a.below, b.below));
    [s.mul(of_a, inverse), s.mul(of_b, inverse)]
}

/// The quotients of four fractions, by one division: each at most 5.2 ulp off. Whatever does not wait for the
/// division is done beside it.
#[inline(always)]
pub fn four_quotients<S: Simd>(s: S, [a, b, c, d]: [Fraction<S::F>; 4]) -> [S::F; 4] {
    let (ab, cd) = (s.mul(a.below, b.below), s.mul(c.below, d.below));
    let inverse = s.div(s.splat(1.0), s.mul(ab, cd));
    let (of_a, of_b) = (s.mul(s.mul(a.above, b.below), cd), s.mul(s.mul(b.above, a.below), cd));
    let (of_c, of_d) = (s.mul(s.mul(c.above, d.below), ab), s.mul(s.mul(d.above, c.below), ab));
    [s.mul(of_a, inverse), s.mul(of_b, inverse), s.mul(of_c, inverse), s.mul(of_d, inverse)]
}
