//! Sigmoids and hyperbolic tangents as fractions, so that several share one division, the dearest of operations.
//! In: a token and vectors; out: numerators over denominators of 1 to 2, or the quotients of several. NaN in any of a division's
//! fractions makes all its quotients NaN.

use super::{ONE, reduce, with_sign};
use crate::kernels::simd::Simd;

/// A quotient that is still to be taken, with a denominator of 1 to 2.
#[derive(Clone, Copy)]
pub struct Fraction<F> {
    above: F,
    below: F,
}

/// 2^n and e^r − 1, of which e^x is the product with 1 more, for −88 <= x <= 0.
#[inline(always)]
fn parts<S: Simd>(s: S, x: S::F) -> (S::F, S::F) {
    let (exponent, r) = reduce(s, x);
    (s.from_bits(s.add_i(exponent, s.splat_i(ONE))), r)
}

/// 1 / (1 + e^−x) as a fraction. Below −87 it is what it is at −87, 1.6e-38.
#[inline(always)]
pub fn sigmoid_fraction<S: Simd>(s: S, x: S::F) -> Fraction<S::F> {
    let one = s.splat(1.0);
    let (power, r) = parts(s, s.neg(s.min(s.splat(87.0), s.abs(x))));
    let e = s.fma(power, r, power);
    Fraction { above: s.select(s.lt(x, s.splat(0.0)), e, one), below: s.add(one, e) }
}

/// tanh x as a fraction, (1 − e^−2|x|) / (1 + e^−2|x|) with the sign of x.
#[inline(always)]
pub fn tanh_fraction<S: Simd>(s: S, x: S::F) -> Fraction<S::F> {
    // From 9.02 on the nearest float is 1.
    let size = s.min(s.splat(9.1), s.abs(x));
    let (power, r) = parts(s, s.mul(size, s.splat(-2.0)));
    let less = s.fma(power, r, s.sub(power, s.splat(1.0)));
    Fraction { above: with_sign(s, s.abs(less), x), below: s.add(less, s.splat(2.0)) }
}

/// The quotient of a fraction.
#[inline(always)]
pub fn quotient<S: Simd>(s: S, of: Fraction<S::F>) -> S::F {
    s.div(of.above, of.below)
}

/// 1/(a·b), as 1/a and 1/b.
#[inline(always)]
fn apart<S: Simd>(s: S, inverse: S::F, [a, b]: [S::F; 2]) -> [S::F; 2] {
    [s.mul(inverse, b), s.mul(inverse, a)]
}

/// The quotients of two fractions, by one division: each at most 4.2 ulp off.
#[inline(always)]
pub fn two_quotients<S: Simd>(s: S, [a, b]: [Fraction<S::F>; 2]) -> [S::F; 2] {
    let inverse = s.div(s.splat(1.0), s.mul(a.below, b.below));
    let [of_a, of_b] = apart(s, inverse, [a.below, b.below]);
    [s.mul(a.above, of_a), s.mul(b.above, of_b)]
}

/// The quotients of four fractions, by one division: each at most 5.2 ulp off.
#[inline(always)]
pub fn four_quotients<S: Simd>(s: S, [a, b, c, d]: [Fraction<S::F>; 4]) -> [S::F; 4] {
    let (ab, cd) = (s.mul(a.below, b.below), s.mul(c.below, d.below));
    let [of_ab, of_cd] = apart(s, s.div(s.splat(1.0), s.mul(ab, cd)), [ab, cd]);
    let [of_a, of_b] = apart(s, of_ab, [a.below, b.below]);
    let [of_c, of_d] = apart(s, of_cd, [c.below, d.below]);
    [s.mul(a.above, of_a), s.mul(b.above, of_b), s.mul(c.above, of_c), s.mul(d.above, of_d)]
}
