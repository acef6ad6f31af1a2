use super::*;
use crate::kernels::simd::{Isa, Kernel};
use std::vec::Vec;

/// A function under test, as a type, because it is generic over the instruction set.
trait Function: Copy {
    fn of<S: Simd>(self, s: S, x: S::F) -> S::F;
}

struct Run<'a, T>(T, &'a [f32], &'a mut [f32]);

impl<T: Function> Kernel for Run<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (x, y) in self.1.as_chunks::<16>().0.iter().zip(self.2.as_chunks_mut::<16>().0) {
            s.store(self.0.of(s, s.load(x)), y);
        }
    }
}

fn run(isa: Isa, f: impl Function, x: &[f32]) -> Vec<f32> {
    let mut padded = x.to_vec();
    padded.resize(x.len().next_multiple_of(16), 0.0);
    let mut y = vec![0.0; padded.len()];
    isa.run(Run(f, &padded, &mut y));
    y.truncate(x.len());
    y
}

/// Every bit pattern that is a multiple of a stride, both signs, all exponents; then a fine walk between two numbers.
fn arguments(from: f32, to: f32) -> Vec<f32> {
    let mut x: Vec<f32> = (0..=u32::MAX).step_by(0x1a03).map(f32::from_bits).filter(|x| !x.is_nan()).collect();
    let fine = 300_000;
    x.extend((0..=fine).map(|i| from + (to - from) * (i as f32 / fine as f32)));
    let edges = [0.0, f32::MIN_POSITIVE, 1.0, f32::MAX, f32::INFINITY, 1e-45, f32::EPSILON, EXP_MAX, -EXP_MIN];
    x.extend(edges.iter().flat_map(|&e| [e, -e, e.next_up(), e.next_down(), -e.next_up(), -e.next_down()]));
    x.retain(|x| !x.is_nan());
    x
}

/// Distance in units of the last place of the true value. Infinities and signs of zero must agree.
fn ulps(found: f32, truth: f64) -> f64 {
    let nearest = truth as f32;
    if found == nearest || (found.is_nan() && truth.is_nan()) {
        return 0.0;
    }
    if !found.is_finite() || !nearest.is_finite() {
        // The last float before infinity is as near as a float can be.
        return if nearest.is_infinite() && found.abs() == f32::MAX { 0.6 } else { f64::INFINITY };
    }
    let exponent = (nearest.abs().max(f32::MIN_POSITIVE).to_bits() >> 23) as i32;
    (f64::from(found) - truth).abs() / 2f64.powi(exponent - 150)
}

const NANS: [u32; 6] = [0x7fc0_0000, 0x7fc0_0001, 0x7fff_ffff, 0xffc0_0000, 0xffc1_2345, 0x7f80_0001];

/// The largest error on every instruction set; `flush` says that results below the smallest normal number may be 0.
fn check(f: impl Function, truth: fn(f64) -> f64, (from, to): (f32, f32), flush: bool, limit: f64) {
    let x = arguments(from, to);
    for isa in Isa::available() {
        let mut worst = (0.0, 0.0, 0.0);
        for (&x, y) in x.iter().zip(run(isa, f, &x)) {
            let t = truth(f64::from(x));
            assert_eq!(y.is_nan(), t.is_nan(), "{}: f({x}) is {y}, expected {t}", isa.name());
            if flush && y == 0.0 && t.abs() < f64::from(f32::MIN_POSITIVE) * (1.0 + 1e-6) {
                continue;
            }
            let error = ulps(y, t);
            if error > worst.0 {
                worst = (error, x, y);
            }
        }
        let (error, x, y) = worst;
        println!("{}: {error:.2} ulp at {x}", isa.name());
        assert!(error <= limit, "{}: {error} ulp at {x}: {y}, expected {}", isa.name(), truth(f64::from(x)));
        for y in run(isa, f, &NANS.map(f32::from_bits)) {
            assert!(y.is_nan(), "{}: NaN became {y}", isa.name());
        }
    }
}

/// The largest |error| / (1 + weight·|x|) on every instruction set, for finite arguments.
fn check_absolute(f: impl Function, truth: fn(f64) -> f64, weight: f64, limit: f64) {
    let x: Vec<f32> = arguments(-9.0, 9.0).into_iter().filter(|x| x.is_finite()).collect();
    for isa in Isa::available() {
        let mut worst = (0.0, 0.0, 0.0);
        for (&x, y) in x.iter().zip(run(isa, f, &x)) {
            let (x, y) = (f64::from(x), f64::from(y));
            let error = (y - truth(x)).abs() / (1.0 + weight * x.abs());
            assert!(!y.is_nan(), "{}: f({x}) is NaN", isa.name());
            if error > worst.0 {
                worst = (error, x, y);
            }
        }
        let (error, x, y) = worst;
        println!("{}: {error:.2e} at {x}", isa.name());
        assert!(error <= limit, "{}: f({x}) is {y}, expected {}: {error}", isa.name(), truth(x));
        for y in run(isa, f, &NANS.map(f32::from_bits)) {
            assert!(y.is_nan(), "{}: NaN became {y}", isa.name());
        }
    }
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
        return 1.0 - sum * core::f64::consts::FRAC_2_SQRT_PI;
    }
    let fraction = (1..=60).rev().fold(size, |rest, k| size + f64::from(k) / 2.0 / rest);
    let tail = (-t * t).exp() / fraction * core::f64::consts::FRAC_2_SQRT_PI / 2.0;
    if t > 0.0 { tail } else { 2.0 - tail }
}

fn erf_f64(t: f64) -> f64 {
    if t.abs() < 1e-4 { t * core::f64::consts::FRAC_2_SQRT_PI * (1.0 - t * t / 3.0) } else { 1.0 - erfc_f64(t) }
}

fn cdf_f64(x: f64) -> f64 {
    erfc_f64(-x * core::f64::consts::FRAC_1_SQRT_2) / 2.0
}

fn gelu_tanh_f64(x: f64) -> f64 {
    x / (1.0 + (-2.0 * (2.0 / core::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).exp())
}

macro_rules! function {
    ($type:ident, $function:path) => {
        #[derive(Clone, Copy)]
        struct $type;
        impl Function for $type {
            #[inline(always)]
            fn of<S: Simd>(self, s: S, x: S::F) -> S::F {
                $function(s, x)
            }
        }
    };
}
function!(Exp, exp);
function!(Expm1, expm1);
function!(Ln, ln);
function!(Ln1p, ln_1p);
function!(Tanh, tanh);
function!(Sigmoid, sigmoid);
function!(Softplus, softplus);
function!(Erf, erf);
function!(Cdf, normal_cdf);
function!(Gelu, gelu);
function!(GeluSlope, gelu_slope);
function!(GeluTanh, gelu_tanh);
function!(GeluTanhSlope, gelu_tanh_slope);

#[test]
fn exp_is_near_everywhere() {
    check(Exp, f64::exp, (-90.0, 90.0), true, 1.1);
}

#[test]
fn expm1_is_near_everywhere() {
    check(Expm1, f64::exp_m1, (-3.0, 3.0), false, 1.6);
}

#[test]
fn ln_is_near_everywhere() {
    check(Ln, f64::ln, (0.4, 3.0), false, 1.0);
}

#[test]
fn ln_1p_is_near_everywhere() {
    check(Ln1p, f64::ln_1p, (-1.0, 2.0), false, 1.6);
}

#[test]
fn tanh_is_near_everywhere() {
    check(Tanh, f64::tanh, (-10.0, 10.0), false, 2.5);
}

#[test]
fn sigmoid_is_near_everywhere() {
    check(Sigmoid, |x| 1.0 / (1.0 + (-x).exp()), (-90.0, 20.0), true, 2.5);
}

#[test]
fn softplus_is_near_everywhere() {
    check(Softplus, |x| x.max(0.0) + (-x.abs()).exp().ln_1p(), (-90.0, 20.0), true, 1.8);
}

#[test]
fn erf_is_near_everywhere() {
    assert!((erf_f64(0.5) - 0.520_499_877_813_046_5).abs() < 1e-15, "the reference itself");
    assert!((erfc_f64(3.0) - 2.209_049_699_858_544e-5).abs() < 1e-18, "the reference itself");
    check(Erf, erf_f64, (-4.1, 4.1), false, 3.5);
}

#[test]
fn gelu_and_its_parts_are_near() {
    check_absolute(Cdf, cdf_f64, 0.0, 1e-7);
    check_absolute(Gelu, |x| x * cdf_f64(x), 1.0, 1e-7);
    check_absolute(GeluTanh, gelu_tanh_f64, 1.0, 1e-7);
}

#[test]
fn slopes_of_gelu_are_near() {
    let exact = |x: f64| cdf_f64(x) + x * (-x * x / 2.0).exp() / (2.0 * core::f64::consts::PI).sqrt();
    check_absolute(GeluSlope, exact, 0.0, 2e-7);
    let tanh = |x: f64| {
        let (x, root) = (x.clamp(-30.0, 30.0), (2.0 / core::f64::consts::PI).sqrt());
        let t = (root * (x + 0.044715 * x.powi(3))).tanh();
        0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * root * (1.0 + 3.0 * 0.044715 * x * x)
    };
    check_absolute(GeluTanhSlope, tanh, 0.0, 3e-7);
}

#[test]
fn signs_of_zero_and_limits_are_kept() {
    for isa in Isa::available() {
        for x in [0.0, -0.0, 1e-45, -1e-45, 1e-30, -1e-30] {
            assert_eq!(run(isa, Tanh, &[x])[0].to_bits(), x.to_bits(), "{}", isa.name());
            assert_eq!(run(isa, Ln1p, &[x])[0].to_bits(), x.to_bits(), "{}", isa.name());
            assert_eq!(run(isa, Erf, &[x])[0].is_sign_negative(), x.is_sign_negative(), "{}", isa.name());
        }
        let inf = f32::INFINITY;
        assert_eq!(run(isa, Exp, &[EXP_MAX, EXP_MAX.next_up(), EXP_MIN.next_down(), -inf])[1..], [inf, 0.0, 0.0]);
        assert!(run(isa, Exp, &[EXP_MAX, EXP_MIN]).iter().all(|y| y.is_normal()));
        assert_eq!(run(isa, Sigmoid, &[-inf, inf]), [0.0, 1.0]);
        assert_eq!(run(isa, Softplus, &[-inf, inf, 1e30]), [0.0, inf, 1e30]);
        assert_eq!(run(isa, Gelu, &[inf, -1e30]), [inf, 0.0]);
        assert_eq!(run(isa, GeluSlope, &[inf, -inf]), [1.0, 0.0]);
    }
}

#[test]
fn scalar_helpers_give_a_lane_of_the_vector() {
    for x in [0.3f32, 2.5, 17.0] {
        assert_eq!(scalar::exp(x), run(Isa::PORTABLE, Exp, &[x])[0]);
        assert_eq!(scalar::tanh(x), run(Isa::PORTABLE, Tanh, &[x])[0]);
        assert_eq!(scalar::sqrt(x), x.sqrt());
        assert_eq!(scalar::floor(-x), (-x).floor());
        assert_eq!(scalar::round(x), x.round_ties_even());
    }
}
