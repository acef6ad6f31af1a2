//! Exponentials, logarithms and what activations are made of, sixteen lanes at a time.
//! Comes in: a token and a vector; goes out: the function of every lane. NaN in gives NaN out, on every path.
//! Never a call into the C mathematics library, a branch on a value, or a table in memory.
//! Errors are counted in ulp of the result, and each is the largest that the tests found, rounded up.

mod choose;
mod fractions;
mod hyperbolic;
mod normal;
pub mod scalar;
#[cfg(test)]
mod tests;
mod waves;

use core::f32::consts::{LN_2, LOG2_E};

use super::simd::Simd;

pub use choose::{larger, ln_add_exp, powf, sign, smaller};
pub use fractions::{Fraction, quotient, sigmoid_inverses, tanh_fraction, tanh_of_powers};
pub use hyperbolic::{cosh, ln_cosh, sigmoids, sinh};
pub use normal::{erf, gelu, gelu_and_slope, gelu_slope, gelu_tanh, gelu_tanh_slope, normal_cdf};
pub use waves::{cos, sin};

/// Where the exponent of an `f32` starts.
const EXPONENT: u32 = 23;
/// The bits of 1.0.
const ONE: i32 = 0x3f80_0000;
/// The bits of √½: `ln` cuts its argument into 2^e·m with √½ <= m < √2.
const ROOT_HALF: i32 = 0x3f35_04f3;
/// 1.5·2^23: adding it rounds to a whole number and leaves that number in the low bits.
const SHIFTER: f32 = 12_582_912.0;
/// ln 2 in two parts. The first has so few digits that its product with any exponent is exact, fused or not.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// The largest `f32` whose exponential is finite.
const EXP_MAX: f32 = 88.722_83;
/// The smallest `f32` whose exponential is a normal number.
const EXP_MIN: f32 = -87.336_54;

/// (e^r − 1 − r) / r² for |r| <= ½ ln 2, the lowest power first: minimax, 2^-28 of e^r.
const EXP: [f32; 5] = [0.499_999_94, 0.166_665_2, 4.166_839_3e-2, 8.368_781e-3, 1.381_446_7e-3];
/// (ln(1 + f) − f + f²/2) / f³ for √½ <= 1 + f <= √2, the lowest power first: minimax, 2^-27 of ln(1 + f).
const LN: [f32; 8] =
    [0.333_333_3, -0.250_008_2, 0.200_012_27, -0.166_233_58, 0.142_017_54, -0.131_601_72, 0.127_616_06, -7.634_556e-2];

/// 2^f for |f| <= ½, the lowest power first: minimax, 2^-28 of it.
const EXP_2: [f32; 7] = [1.0, LN_2, 0.240_226_48, 5.550_332_5e-2, 9.618_437e-3, 1.339_887_5e-3, 1.535_336e-4];

/// c[0] + c[1]·x + c[2]·x² + …
#[inline(always)]
pub(super) fn polynomial<S: Simd, const N: usize>(s: S, x: S::F, c: &[f32; N]) -> S::F {
    let mut sum = s.splat(c[N - 1]);
    let mut i = N - 1;
    while i > 0 {
        i -= 1;
        sum = s.fma(sum, x, s.splat(c[i]));
    }
    sum
}

/// x = n·ln 2 + r with |r| <= ½ ln 2: n where the exponent of a float stands, and e^r − 1.
/// Both mean nothing for |x| > 2^22, but a NaN stays one in the second.
#[inline(always)]
fn reduce<S: Simd>(s: S, x: S::F) -> (S::I, S::F) {
    let ([n], [r]) = reduce_all(s, [x]);
    (n, r)
}

/// [`reduce`] of several.
#[inline(always)]
fn reduce_all<S: Simd, const N: usize>(s: S, x: [S::F; N]) -> ([S::I; N], [S::F; N]) {
    reduce_times(s, [1.0; N], x)
}

/// [`reduce`] of several numbers times a power of 2 each, operation by operation: in that order no
/// instruction waits long for another, and a processor sees only so many.
#[inline(always)]
fn reduce_times<S: Simd, const N: usize>(s: S, times: [f32; N], x: [S::F; N]) -> ([S::I; N], [S::F; N]) {
    let (mut shifted, mut r, mut square) = (x, x, x);
    let (mut low, mut high) = (x, x);
    let mut n = [s.splat_i(0); N];
    for i in 0..N {
        shifted[i] = s.fma(x[i], s.splat(times[i] * LOG2_E), s.splat(SHIFTER));
        r[i] = if times[i] == 1.0 { x[i] } else { s.mul(x[i], s.splat(times[i])) };
    }
    let mut whole = shifted;
    for i in 0..N {
        whole[i] = s.sub(shifted[i], s.splat(SHIFTER));
    }
    for i in 0..N {
        r[i] = s.fma(whole[i], s.splat(-LN_2_HIGH), r[i]);
    }
    for i in 0..N {
        r[i] = s.fma(whole[i], s.splat(-LN_2_LOW), r[i]);
    }
    // In pairs, which wait for each other less than one power after the other.
    for i in 0..N {
        square[i] = s.mul(r[i], r[i]);
        high[i] = s.fma(r[i], s.splat(EXP[3]), s.splat(EXP[2]));
        low[i] = s.fma(r[i], s.splat(EXP[1]), s.splat(EXP[0]));
    }
    for i in 0..N {
        high[i] = s.fma(square[i], s.splat(EXP[4]), high[i]);
    }
    for i in 0..N {
        low[i] = s.fma(square[i], high[i], low[i]);
    }
    for i in 0..N {
        n[i] = s.shl_i::<EXPONENT>(s.bits(shifted[i]));
        r[i] = s.fma(square[i], low[i], r[i]);
    }
    (n, r)
}

/// e^x: at most 1.1 ulp. Above ln(`f32::MAX`) it is ∞; what would be below `f32::MIN_POSITIVE` is 0.
///
/// Flushed rather than denormal, because softmax makes many tiny values, and denormals cost a hundred cycles
/// on some machines.
#[cfg_attr(feature = "small", inline(never))]
#[cfg_attr(not(feature = "small"), inline(always))]
pub fn exp<S: Simd>(s: S, x: S::F) -> S::F {
    let (exponent, r) = reduce(s, x);
    let y = s.add(r, s.splat(1.0));
    let y = s.from_bits(s.add_i(s.bits(y), exponent));
    // For a NaN the bits above are anything: the product makes it NaN again, as it makes ∞ of what is too
    // large.
    let y = s.select(s.le(x, s.splat(EXP_MAX)), y, s.mul(x, s.splat(f32::INFINITY)));
    s.select(s.lt(x, s.splat(EXP_MIN)), s.splat(0.0), y)
}

/// Two factors of 2^x for |x| <= 126, of which the second is a whole power of 2 and the first NaN for NaN:
/// their product is at most 1.3 ulp off. Cheaper than [`exp`], as nothing runs over.
#[inline(always)]
pub(crate) fn exp_2_within<S: Simd>(s: S, x: S::F) -> (S::F, S::F) {
    let shifted = s.add(x, s.splat(SHIFTER));
    let rest = s.sub(x, s.sub(shifted, s.splat(SHIFTER)));
    let exponent = s.shl_i::<EXPONENT>(s.bits(shifted));
    (polynomial(s, rest, &EXP_2), s.from_bits(s.add_i(exponent, s.splat_i(ONE))))
}

/// e^x − 1 for |x| < 89, NaN for NaN.
#[inline(always)]
fn expm1_within<S: Simd>(s: S, x: S::F) -> S::F {
    let (exponent, r) = reduce(s, x);
    // 2^(n−1), because 2^128 is no float.
    let half = s.from_bits(s.add_i(exponent, s.splat_i(ONE - (1 << EXPONENT))));
    let y = s.fma(half, r, s.sub(half, s.splat(0.5)));
    s.add(y, y)
}

/// e^x − 1: at most 1.6 ulp, near 0 too. Above ln(`f32::MAX`) it is ∞.
#[cfg_attr(feature = "small", inline(never))]
#[cfg_attr(not(feature = "small"), inline(always))]
pub fn expm1<S: Simd>(s: S, x: S::F) -> S::F {
    // The limits stand first: where x is NaN, `min` and `max` give the second.
    expm1_within(s, s.max(s.splat(-20.0), s.min(s.splat(89.0), x)))
}

/// e·ln 2 + ln(1 + f), for √½ <= 1 + f <= √2 and a whole e.
#[inline(always)]
fn ln_parts<S: Simd>(s: S, e: S::F, f: S::F) -> S::F {
    let square = s.mul(f, f);
    let tail = s.mul(s.mul(square, f), polynomial(s, f, &LN));
    let tail = s.fma(e, s.splat(LN_2_LOW), tail);
    let tail = s.fma(square, s.splat(-0.5), tail);
    s.fma(e, s.splat(LN_2_HIGH), s.add(f, tail))
}

/// x = 2^e·m with √½ <= m < √2, for a normal x: e and m.
#[inline(always)]
fn split<S: Simd>(s: S, x: S::F) -> (S::I, S::F) {
    let bits = s.bits(x);
    let e = s.add_i(bits, s.splat_i(ONE - ROOT_HALF));
    let e = s.sub_i(s.shr_i::<EXPONENT>(e), s.splat_i(127));
    (e, s.from_bits(s.sub_i(bits, s.shl_i::<EXPONENT>(e))))
}

/// ln x: at most 1 ulp, of denormals too. −∞ at 0, NaN below.
#[cfg_attr(feature = "small", inline(never))]
#[cfg_attr(not(feature = "small"), inline(always))]
pub fn ln<S: Simd>(s: S, x: S::F) -> S::F {
    let small = s.lt(x, s.splat(f32::MIN_POSITIVE));
    let (e, m) = split(s, s.select(small, s.mul(x, s.splat(16_777_216.0)), x));
    let e = s.sub(s.to_f(e), s.select(small, s.splat(24.0), s.splat(0.0)));
    let y = ln_parts(s, e, s.sub(m, s.splat(1.0)));
    ln_ends(s, x, x, y)
}

/// y = ln(x), put right where x is 0, negative, infinite or NaN; `same` is what infinities and NaN become.
#[inline(always)]
fn ln_ends<S: Simd>(s: S, x: S::F, same: S::F, y: S::F) -> S::F {
    let y = s.select(s.lt(x, s.splat(f32::INFINITY)), y, same);
    let y = s.select(s.eq(x, s.splat(0.0)), s.splat(f32::NEG_INFINITY), y);
    s.select(s.lt(x, s.splat(0.0)), s.splat(f32::NAN), y)
}

/// ln(1 + x): at most 1.6 ulp, near 0 too. −∞ at −1, NaN below.
#[cfg_attr(feature = "small", inline(never))]
#[cfg_attr(not(feature = "small"), inline(always))]
pub fn ln_1p<S: Simd>(s: S, x: S::F) -> S::F {
    let one = s.splat(1.0);
    let sum = s.add(one, x);
    // What the sum lost, by Knuth's two-sum: exact for any order of the two.
    let x_seen = s.sub(sum, one);
    let one_seen = s.sub(sum, x_seen);
    let lost = s.add(s.sub(x, x_seen), s.sub(one, one_seen));
    let (e, m) = split(s, sum);
    // Past 2^25 the loss changes nothing, and 2^-e may not be a float.
    let shrink = s.from_bits(s.sub_i(s.splat_i(ONE), s.shl_i::<EXPONENT>(e)));
    let f = s.sub(m, one);
    let f = s.select(s.lt(x, s.splat(33_554_432.0)), s.fma(lost, shrink, f), f);
    let y = ln_ends(s, sum, x, ln_parts(s, s.to_f(e), f));
    // The sum would turn −0 into 0; in the first power, ln(1 + x) is x.
    s.select(s.lt(s.abs(x), s.splat(1e-8)), x, y)
}

/// `size` with the sign of `x`.
#[inline(always)]
fn with_sign<S: Simd>(s: S, size: S::F, x: S::F) -> S::F {
    let sign = s.and_i(s.bits(x), s.splat_i(i32::MIN));
    s.from_bits(s.or_i(s.bits(size), sign))
}

/// tanh x: at most 2.7 ulp, near 0 too.
#[cfg_attr(feature = "small", inline(never))]
#[cfg_attr(not(feature = "small"), inline(always))]
pub fn tanh<S: Simd>(s: S, x: S::F) -> S::F {
    quotient(s, tanh_of_powers(s, x))
}

/// 1 / (1 + e^−x): at most 2.5 ulp at both ends. Below −88.7 it is 0.
#[cfg_attr(feature = "small", inline(never))]
#[cfg_attr(not(feature = "small"), inline(always))]
pub fn sigmoid<S: Simd>(s: S, x: S::F) -> S::F {
    let one = s.splat(1.0);
    s.div(one, s.add(one, exp(s, s.neg(x))))
}

/// ln(1 + e^x) = max(x, 0) + ln(1 + e^−|x|): at most 1.8 ulp. Below −87.3 it is 0.
#[inline(always)]
pub fn softplus<S: Simd>(s: S, x: S::F) -> S::F {
    let tail = ln_1p(s, exp(s, s.neg(s.abs(x))));
    s.add(s.max(s.splat(0.0), x), tail)
}

#[cfg(test)]
mod constants {
    #[test]
    fn ln_2_is_cut_where_its_products_are_exact() {
        assert_eq!(super::LN_2_HIGH.to_bits() & 0x7fff, 0, "nine digits leave fifteen for the exponent");
        let sum = f64::from(super::LN_2_HIGH) + f64::from(super::LN_2_LOW);
        assert!((sum - core::f64::consts::LN_2).abs() < 1e-11);
        assert_eq!(sum as f32, core::f32::consts::LN_2);
    }
}
