//! Hyperbolic sine and cosine, the logarithm of the latter, and a sigmoid with its complement. In: a token
//! and a vector; out: the function of every lane, finite wherever its value is.

use core::f32::consts::LN_2;

use super::{EXPONENT, ONE, exp, expm1_within, ln_1p, reduce, with_sign};
use crate::simd::Simd;

/// e^x − 1 and e^x, a quarter of each, for 0 <= x: as many factors of 2 are left out as let the two be finite
/// up to 89.5.
#[inline(always)]
fn quarters<S: Simd>(s: S, x: S::F) -> (S::F, S::F) {
    // From there on the results of both callers are ∞.
    let (exponent, r) = reduce(s, s.min(s.splat(89.5), x));
    let quarter = s.from_bits(s.add_i(exponent, s.splat_i(ONE - (2 << EXPONENT))));
    (s.fma(quarter, r, s.sub(quarter, s.splat(0.25))), s.fma(quarter, r, quarter))
}

/// sinh x: at most 2.5 ulp, near 0 too. Beyond ±89.4 it is ±∞.
#[inline(always)]
pub fn sinh<S: Simd>(s: S, x: S::F) -> S::F {
    // With m = (e^|x| − 1) / 2: m + m / (2m + 1).
    let (less, _) = quarters(s, s.abs(x));
    let m = s.add(less, less);
    // Far out the second term is ½, and would be ∞/∞ where 2m is no float.
    let near = s.min(s.splat(1e30), m);
    with_sign(s, s.add(m, s.div(near, s.add(s.add(near, near), s.splat(1.0)))), x)
}

/// cosh x: at most 2 ulp. Beyond ±89.4 it is ∞.
#[inline(always)]
pub fn cosh<S: Simd>(s: S, x: S::F) -> S::F {
    let (_, quarter) = quarters(s, s.abs(x));
    let half = s.add(quarter, quarter);
    s.add(half, s.div(s.splat(0.25), half))
}

/// ln(cosh x): at most 5.3 ulp, near 0 too; finite for any finite x.
#[inline(always)]
pub fn ln_cosh<S: Simd>(s: S, x: S::F) -> S::F {
    let size = s.abs(x);
    // With m = e^−2|x| − 1: sinh²x = m² / (4(m + 1)), and ln cosh x = ½ ln(1 + sinh²x) = |x| − ln 2 + ln(1 +
    // (m + 1)).
    let m = expm1_within(s, s.max(s.splat(-40.0), s.mul(s.splat(-2.0), size)));
    let e = s.add(m, s.splat(1.0));
    let near = s.lt(size, s.splat(1.0));
    let square = s.div(s.mul(m, m), s.mul(s.splat(4.0), e));
    let ln = ln_1p(s, s.select(near, square, e));
    s.select(near, s.mul(s.splat(0.5), ln), s.add(s.sub(size, s.splat(LN_2)), ln))
}

/// 1 / (1 + e^−x) and 1 / (1 + e^x), of one exponential: at most 2.9 ulp. What would be below
/// `f32::MIN_POSITIVE` is 0.
#[inline(always)]
pub fn sigmoids<S: Simd>(s: S, x: S::F) -> (S::F, S::F) {
    let one = s.splat(1.0);
    let e = exp(s, s.neg(s.abs(x)));
    let high = s.div(one, s.add(one, e));
    let low = s.mul(e, high);
    let negative = s.lt(x, s.splat(0.0));
    (s.select(negative, low, high), s.select(negative, high, low))
}
