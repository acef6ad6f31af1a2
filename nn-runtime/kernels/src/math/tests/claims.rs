//! What the documentation of each function says of its error, on every path. Every run takes a sample of all
//! floats and a fine walk where the function bends; the slow suite (`--ignored`) takes every third float from
//! 2^-12 to 128 of both signs: outside, each function is its limit or the first power. The truth is computed
//! in double precision.

use super::*;
use core::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, LN_2, PI};

/// How far from the truth a result may be.
#[derive(Clone, Copy)]
enum Within {
    /// Units of the last place of the truth.
    Ulp(f64),
    /// The same, but what would be below the smallest normal number may be 0.
    UlpOrZero(f64),
    /// The first, times 1 + the second·|x|; of finite arguments.
    Off(f64, f64),
}
use Within::{Off, Ulp, UlpOrZero};

fn check(f: impl Function, truth: fn(f64) -> f64, within: Within, x: &[f32]) {
    let x: Vec<f32> = x.iter().copied().filter(|x| x.is_finite() || !matches!(within, Off(..))).collect();
    let truths: Vec<f64> = x.iter().map(|&x| truth(f64::from(x))).collect();
    let limit = match within {
        Ulp(limit) | UlpOrZero(limit) | Off(limit, _) => limit,
    };
    for isa in Isa::available() {
        let mut worst = (0.0, 0.0, 0.0, 0.0);
        for ((&x, &t), y) in x.iter().zip(&truths).zip(run(isa, f, &x)) {
            assert_eq!(y.is_nan(), t.is_nan(), "{}: f({x}) is {y}, expected {t}", isa.name());
            let error = match within {
                UlpOrZero(_) if y == 0.0 && t.abs() < f64::from(f32::MIN_POSITIVE) * (1.0 + 1e-6) => 0.0,
                Ulp(_) | UlpOrZero(_) => ulps(y, t),
                Off(_, weight) => (f64::from(y) - t).abs() / (1.0 + weight * f64::from(x).abs()),
            };
            if error > worst.0 {
                worst = (error, x, y, t);
            }
        }
        let (error, x, y, t) = worst;
        println!("{}: {error:.3e} at {x}", isa.name());
        assert!(error <= limit, "{}: f({x}) is {y}, expected {t}: {error}", isa.name());
        for y in run(isa, f, &NANS.map(f32::from_bits)) {
            assert!(y.is_nan(), "{}: NaN became {y}", isa.name());
        }
    }
}

fn densely(check: impl Fn(&[f32])) {
    let (first, end, block) = (0x3980_0000_u32, 128_f32.to_bits(), 3 << 20);
    for sign in [0, 1 << 31] {
        for start in (first..end).step_by(block as usize) {
            let bits = (start..end.min(start + block)).step_by(3);
            check(&bits.map(|bits| f32::from_bits(bits | sign)).collect::<Vec<f32>>());
        }
    }
}

macro_rules! claims {
    ($($name:ident: $function:ident, $truth:expr, $within:expr, $walk:expr;)+) => {
        $(
            #[test]
            fn $name() {
                check($function, $truth, $within, &arguments($walk.0, $walk.1));
            }
        )+
        mod every_third_float {
            use super::*;
            $(
                #[test]
                #[ignore = "seconds each where optimised, minutes where not"]
                fn $name() {
                    densely(|x| check($function, $truth, $within, x));
                }
            )+
        }
    };
}

claims! {
    exp_is_near: Exp, f64::exp, UlpOrZero(1.1), (-90.0, 90.0);
    exp_2_is_near: Exp2, |x| x.clamp(-126.0, 126.0).exp2(), Ulp(1.3), (-127.0, 127.0);
    expm1_is_near: Expm1, f64::exp_m1, Ulp(1.6), (-3.0, 3.0);
    ln_is_near: Ln, f64::ln, Ulp(1.0), (0.4, 3.0);
    ln_1p_is_near: Ln1p, f64::ln_1p, Ulp(1.6), (-1.0, 2.0);
    tanh_is_near: Tanh, f64::tanh, Ulp(2.7), (-10.0, 10.0);
    sigmoid_is_near: Sigmoid, sigmoid_f64, UlpOrZero(2.5), (-90.0, 20.0);
    sigmoid_by_inverse_is_near: SigmoidByInverse, |x| sigmoid_f64(x.clamp(-40.0, 40.0)), Ulp(36.0), (-41.0, 41.0);
    near_tanh_is_near: NearTanh, f64::tanh, Ulp(6.0), (-10.0, 10.0);
    high_sigmoid_is_near: High, sigmoid_f64, UlpOrZero(2.9), (-90.0, 90.0);
    low_sigmoid_is_near: Low, |x| sigmoid_f64(-x), UlpOrZero(2.9), (-90.0, 90.0);
    softplus_is_near: Softplus, |x| x.max(0.0) + (-x.abs()).exp().ln_1p(), UlpOrZero(1.8), (-90.0, 20.0);
    sinh_is_near: Sinh, f64::sinh, Ulp(2.5), (-3.0, 3.0);
    far_sinh_is_near: Sinh, f64::sinh, Ulp(2.5), (-90.0, 90.0);
    cosh_is_near: Cosh, f64::cosh, Ulp(2.0), (-90.0, 90.0);
    ln_cosh_is_near: LnCosh, ln_cosh_f64, UlpOrZero(5.3), (-3.0, 3.0);
    erf_is_near: Erf, erf_f64, Ulp(3.5), (-4.1, 4.1);
    normal_cdf_is_near: Cdf, cdf_f64, Off(1e-7, 0.0), (-9.0, 9.0);
    gelu_is_near: Gelu, |x| x * cdf_f64(x), Off(1e-7, 1.0), (-9.0, 9.0);
    gelu_slope_is_near: GeluSlope, gelu_slope_f64, Off(2e-7, 0.0), (-9.0, 9.0);
    gelu_tanh_is_near: GeluTanh, gelu_tanh_f64, Off(1.1e-7, 1.0), (-9.0, 9.0);
    gelu_tanh_slope_is_near: GeluTanhSlope, gelu_tanh_slope_f64, Off(3e-7, 0.0), (-9.0, 9.0);
}

#[test]
fn the_reference_is_right() {
    assert!((erf_f64(0.5) - 0.520_499_877_813_046_5).abs() < 1e-15);
    assert!((erfc_f64(3.0) - 2.209_049_699_858_544e-5).abs() < 1e-18);
}

/// 1 − erf(t) to double precision: the series near 0, a continued fraction far out.
fn erfc_f64(t: f64) -> f64 {
    let size = t.abs();
    if size < 2.5 {
        let (mut term, mut sum, mut n) = (t, t, 0.0);
        while f64::abs(term) > 1e-18 * f64::abs(sum) {
            n += 1.0;
            term *= -t * t / n;
            sum += term / (2.0 * n + 1.0);
        }
        return 1.0 - sum * FRAC_2_SQRT_PI;
    }
    let fraction = (1..=60).rev().fold(size, |rest, k| size + f64::from(k) / 2.0 / rest);
    let tail = (-t * t).exp() / fraction * FRAC_2_SQRT_PI / 2.0;
    if t > 0.0 { tail } else { 2.0 - tail }
}

fn erf_f64(t: f64) -> f64 {
    if t.abs() < 1e-4 { t * FRAC_2_SQRT_PI * (1.0 - t * t / 3.0) } else { 1.0 - erfc_f64(t) }
}

fn cdf_f64(x: f64) -> f64 {
    erfc_f64(-x * FRAC_1_SQRT_2) / 2.0
}

fn sigmoid_f64(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn ln_cosh_f64(x: f64) -> f64 {
    match x.abs() {
        near if near < 1.0 => 0.5 * near.sinh().powi(2).ln_1p(),
        far => far - LN_2 + (-2.0 * far).exp().ln_1p(),
    }
}

fn gelu_slope_f64(x: f64) -> f64 {
    cdf_f64(x) + x * (-x * x / 2.0).exp() / (2.0 * PI).sqrt()
}

fn gelu_tanh_f64(x: f64) -> f64 {
    x / (1.0 + (-2.0 * (2.0 / PI).sqrt() * (x + 0.044715 * x.powi(3))).exp())
}

fn gelu_tanh_slope_f64(x: f64) -> f64 {
    let (x, root) = (x.clamp(-30.0, 30.0), (2.0 / PI).sqrt());
    let t = (root * (x + 0.044715 * x.powi(3))).tanh();
    0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * root * (1.0 + 3.0 * 0.044715 * x * x)
}
