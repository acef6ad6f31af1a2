//! Functions of two numbers, and the sign of one, as formulas call them. In: a token and vectors; out: the
//! function of every lane, NaN where an operand is.

use super::{exp, ln, ln_1p};
use crate::simd::Simd;

/// The larger of the two.
#[inline(always)]
pub fn larger<S: Simd>(s: S, a: S::F, b: S::F) -> S::F {
    // `max` gives the second where either is NaN.
    s.select(s.eq(a, a), s.max(a, b), a)
}

/// The smaller of the two.
#[inline(always)]
pub fn smaller<S: Simd>(s: S, a: S::F, b: S::F) -> S::F {
    s.select(s.eq(a, a), s.min(a, b), a)
}

/// −1 below 0, 1 above, and what is neither as it is.
#[inline(always)]
pub fn sign<S: Simd>(s: S, x: S::F) -> S::F {
    let below = s.select(s.lt(x, s.splat(0.0)), s.splat(-1.0), x);
    s.select(s.gt(x, s.splat(0.0)), s.splat(1.0), below)
}

/// a^b = e^(b·ln a): at most 3 + 2·|b·ln a| ulp. NaN for an a below 0.
#[inline(always)]
pub fn powf<S: Simd>(s: S, a: S::F, b: S::F) -> S::F {
    exp(s, s.mul(b, ln(s, a)))
}

/// ln(e^a + e^b) = max(a, b) + ln(1 + e^−|a−b|), for finite numbers of any size: at most 2 roundings of the
/// larger off.
#[inline(always)]
pub fn ln_add_exp<S: Simd>(s: S, a: S::F, b: S::F) -> S::F {
    let tail = ln_1p(s, exp(s, s.neg(s.abs(s.sub(a, b)))));
    s.add(s.max(a, b), tail)
}
