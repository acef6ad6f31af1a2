//! The error function and the normal distribution, and GELU, which is made of them.
//! Comes in: a token and a vector; goes out: the function of every lane. NaN in gives NaN out.
//! Never a difference of two numbers near 1 where a small one is wanted.

use core::f32::consts::LOG2_E;

use super::{exp, exp_2_within, expm1_within, polynomial, sigmoid, with_sign};
use crate::simd::Simd;

/// −ln(1 − erf t) / t for 0 <= t <= 4, the lowest power first: minimax, 2^-30 of erf t.
#[allow(clippy::approx_constant, reason = "the second is near 2/π, and has to be what the fit gave")]
const ERFC: [f32; 10] = [
    1.128_379_2,
    0.636_619_8,
    0.102_771_54,
    -1.911_889e-2,
    -2.502_752_8e-4,
    1.795_689_5e-3,
    -7.378_739_5e-4,
    1.662_393_8e-4,
    -2.106_363_9e-5,
    1.165_383_8e-6,
];
/// −Φ(−u)·e^u²/2 for 0 <= u <= 6, the lowest power first: times e^−u²/2 at most 4.3e-8 off, near 0 less.
const TAIL: [f32; 12] = [
    -0.5,
    0.398_941_7,
    -0.249_986_96,
    0.132_882_18,
    -6.213_023e-2,
    2.579_123e-2,
    -9.305_719e-3,
    2.769_212_2e-3,
    -6.303_694_5e-4,
    9.984_927_4e-5,
    -9.591_264e-6,
    4.148_012_4e-7,
];
/// Φ is 0 below −6 and 1 above 6, and its density 0.
const FAR: f32 = 6.0;
/// 1 / √(2π), the density at 0.
const PEAK: f32 = 0.398_942_3;

/// −ln(1 − erf t), for 0 <= t; from 4 on as at 4, where erf is 1 in any float.
#[inline(always)]
fn minus_ln_erfc<S: Simd>(s: S, t: S::F) -> S::F {
    let t = s.min(s.splat(4.0), t);
    s.mul(t, polynomial(s, t, &ERFC))
}

/// The error function, 2/√π ∫₀ˣ e^−t² dt: at most 3.5 ulp, near 0 too.
#[inline(always)]
pub fn erf<S: Simd>(s: S, x: S::F) -> S::F {
    let y = expm1_within(s, s.neg(minus_ln_erfc(s, s.abs(x))));
    with_sign(s, s.abs(y), x)
}

/// What all below is made of: x within ±6, e^−x²/2 and −Φ(−|x|), both 0 from ±6 on.
#[inline(always)]
fn bell<S: Simd>(s: S, x: S::F) -> (S::F, S::F, S::F) {
    let x = s.max(s.splat(-FAR), s.min(s.splat(FAR), x));
    let size = s.abs(x);
    // 2^−26 at the least: no exponent runs over, and rounding the exponent as it is loses less than what is
    // small already.
    let (near_1, power) = exp_2_within(s, s.mul(s.mul(x, x), s.splat(-0.5 * LOG2_E)));
    let bell = s.select(s.lt(size, s.splat(FAR)), s.mul(near_1, power), s.splat(0.0));
    (x, bell, s.mul(bell, polynomial(s, size, &TAIL)))
}

/// Φ(x) and its density times x, of what `bell` gives.
#[inline(always)]
fn slope<S: Simd>(s: S, (x, bell, minus_tail): (S::F, S::F, S::F)) -> S::F {
    let half = s.splat(0.5);
    let beside = s.fma(s.mul(x, s.splat(PEAK)), bell, half);
    s.add(with_sign(s, s.add(half, minus_tail), x), beside)
}

/// The share of the standard normal distribution below x, (1 + erf(x/√2)) / 2: at most 1e-7 off, and exactly
/// 0 below −6.
#[inline(always)]
pub fn normal_cdf<S: Simd>(s: S, x: S::F) -> S::F {
    let (x, _, minus_tail) = bell(s, x);
    s.select(s.lt(x, s.splat(0.0)), s.neg(minus_tail), s.add(s.splat(1.0), minus_tail))
}

/// GELU, x·Φ(x) with the [`normal_cdf`] Φ: off by at most 1e-7·(1 + |x|).
///
/// Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
#[inline(always)]
pub fn gelu<S: Simd>(s: S, x: S::F) -> S::F {
    gelu_of(s, x, bell(s, x))
}

/// max(x, 0) − |x|·Φ(−|x|)
#[inline(always)]
fn gelu_of<S: Simd>(s: S, x: S::F, (within, _, minus_tail): (S::F, S::F, S::F)) -> S::F {
    s.fma(s.abs(within), minus_tail, s.max(s.splat(0.0), x))
}

/// The derivative of [`gelu`], Φ(x) + x·φ(x) with φ the normal density: off by at most 2e-7.
#[inline(always)]
pub fn gelu_slope<S: Simd>(s: S, x: S::F) -> S::F {
    slope(s, bell(s, x))
}

/// [`gelu`] and [`gelu_slope`], of one exponential.
#[inline(always)]
pub fn gelu_and_slope<S: Simd>(s: S, x: S::F) -> (S::F, S::F) {
    let bell = bell(s, x);
    (gelu_of(s, x, bell), slope(s, bell))
}

/// √(2/π), doubled because tanh u = 2·sigmoid(2u) − 1.
const TWICE_ROOT: f32 = 1.595_769_2;
const CUBIC: f32 = 0.044_715;

/// The approximation x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))) of GELU: off by at most 1.1e-7·(1 + |x|). NaN
/// at −∞.
#[inline(always)]
pub fn gelu_tanh<S: Simd>(s: S, x: S::F) -> S::F {
    let cubic = s.fma(s.mul(x, x), s.splat(CUBIC), s.splat(1.0));
    s.mul(x, sigmoid(s, s.mul(s.mul(x, s.splat(TWICE_ROOT)), cubic)))
}

/// The derivative of [`gelu_tanh`]: off by at most 3e-7.
#[inline(always)]
pub fn gelu_tanh_slope<S: Simd>(s: S, x: S::F) -> S::F {
    let one = s.splat(1.0);
    let x = s.max(s.splat(-20.0), s.min(s.splat(20.0), x));
    let square = s.mul(x, x);
    let root_x = s.mul(x, s.splat(TWICE_ROOT));
    let u = s.mul(root_x, s.fma(square, s.splat(CUBIC), one));
    let inner = s.mul(root_x, s.fma(square, s.splat(3.0 * CUBIC), one));
    // sigmoid(u) and sigmoid(u)·sigmoid(−u), the latter not as a difference from 1.
    let small = exp(s, s.neg(s.abs(u)));
    let high = s.div(one, s.add(one, small));
    let low = s.mul(small, high);
    let gate = s.select(s.lt(u, s.splat(0.0)), low, high);
    s.fma(s.mul(low, high), inner, gate)
}
