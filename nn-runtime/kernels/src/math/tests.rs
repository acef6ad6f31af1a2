mod claims;

use super::*;
use crate::simd::{Isa, Kernel};
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

/// Every bit pattern that is a multiple of a stride, both signs, all exponents; then a fine walk between two
/// numbers.
fn arguments(from: f32, to: f32) -> Vec<f32> {
    let (step, fine) = if cfg!(miri) { (120_000_007, 20) } else { (0x1a03, 300_000) };
    let mut x: Vec<f32> = (0..=u32::MAX).step_by(step).map(f32::from_bits).filter(|x| !x.is_nan()).collect();
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
function!(Exp2, exp_2);
function!(Expm1, expm1);
function!(Ln, ln);
function!(Ln1p, ln_1p);
function!(Tanh, tanh);
function!(Sigmoid, sigmoid);
function!(Softplus, softplus);
function!(Erf, erf);
function!(Sinh, sinh);
function!(Cosh, cosh);
function!(LnCosh, ln_cosh);
function!(Sin, sin);
function!(Cos, cos);
function!(SigmoidByInverse, sigmoid_by_inverse);
function!(NearTanh, near_tanh);
function!(High, high);
function!(Low, low);
function!(Cdf, normal_cdf);
function!(Gelu, gelu);
function!(GeluSlope, gelu_slope);

function!(GeluTanh, gelu_tanh);
function!(GeluTanhSlope, gelu_tanh_slope);

#[inline(always)]
fn exp_2<S: Simd>(s: S, x: S::F) -> S::F {
    let (near_1, power) = exp_2_within(s, s.max(s.splat(-126.0), s.min(s.splat(126.0), x)));
    s.mul(near_1, power)
}

#[inline(always)]
fn high<S: Simd>(s: S, x: S::F) -> S::F {
    sigmoids(s, x).0
}

#[inline(always)]
fn low<S: Simd>(s: S, x: S::F) -> S::F {
    sigmoids(s, x).1
}

#[inline(always)]
fn sigmoid_by_inverse<S: Simd>(s: S, x: S::F) -> S::F {
    let [_, inverse] = sigmoid_inverses(s, [s.neg(x), x]);
    s.div(s.splat(1.0), inverse)
}

#[inline(always)]
fn near_tanh<S: Simd>(s: S, x: S::F) -> S::F {
    quotient(s, tanh_fraction(s, x))
}

/// A function of two numbers, over pairs.
#[track_caller]
fn check_pairs<const N: usize>(
    f: impl Fn(Isa, &[f32; N], &[f32; N]) -> Vec<f32>,
    truth: fn(f64, f64) -> f64,
    pairs: [(f32, f32); N],
    limit: f64,
) {
    let (a, b) = (pairs.map(|pair| pair.0), pairs.map(|pair| pair.1));
    for isa in Isa::available() {
        for ((a, b), y) in pairs.into_iter().zip(f(isa, &a, &b)) {
            let truth = truth(f64::from(a), f64::from(b));
            let error = ulps(y, truth);
            assert!(error <= limit, "{}: of {a} and {b} {y}, expected {truth}: {error} ulp", isa.name());
        }
    }
}

struct Pairs<'a, T>(T, &'a [f32], &'a [f32], &'a mut Vec<f32>);

trait OfTwo {
    fn of<S: Simd>(&self, s: S, a: S::F, b: S::F) -> S::F;
}

impl<T: OfTwo> Kernel for Pairs<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (&a, &b) in self.1.iter().zip(self.2) {
            let mut y = [0.0];
            s.store_part(self.0.of(s, s.splat(a), s.splat(b)), &mut y);
            self.3.push(y[0]);
        }
    }
}

macro_rules! of_two {
    ($type:ident, $function:path) => {
        #[derive(Clone, Copy)]
        struct $type;
        impl OfTwo for $type {
            #[inline(always)]
            fn of<S: Simd>(&self, s: S, a: S::F, b: S::F) -> S::F {
                $function(s, a, b)
            }
        }
    };
}
of_two!(Larger, larger);
of_two!(Smaller, smaller);
of_two!(Powf, powf);
of_two!(LnAddExp, ln_add_exp);

fn pairs<const N: usize>(f: impl OfTwo + Copy) -> impl Fn(Isa, &[f32; N], &[f32; N]) -> Vec<f32> {
    move |isa, a, b| {
        let mut y = Vec::new();
        isa.run(Pairs(f, a, b, &mut y));
        y
    }
}

#[test]
fn functions_of_two_are_near() {
    let nan = f32::NAN;
    let order = [(1.0, 2.0), (2.0, 1.0), (nan, 1.0), (1.0, nan), (-3.5, 0.0)];
    check_pairs(pairs(Larger), |a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }, order, 0.0);
    check_pairs(pairs(Smaller), |a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) }, order, 0.0);
    check_pairs(pairs(Powf), f64::powf, [(2.0, 1.5), (0.3, 0.7), (0.0, 0.5), (7.5, -2.25), (-1.0, 0.5)], 10.0);
    let sum = |a: f64, b: f64| a.max(b) + (-(a - b).abs()).exp().ln_1p();
    check_pairs(pairs(LnAddExp), sum, [(1.0, 2.0), (100.0, -100.0), (-200.0, -201.0), (nan, 0.0), (88.0, 88.5)], 2.0);
}

/// Each number with its distance from the truth, up to an argument of 8192; near 0 in ulp.
#[test]
fn waves_are_near() {
    let x: Vec<f32> = arguments(-30.0, 30.0).into_iter().filter(|x| x.abs() <= 8192.0).collect();
    for isa in Isa::available() {
        let mut worst = 0.0f64;
        for (&x, (sin, cos)) in x.iter().zip(run(isa, Sin, &x).into_iter().zip(run(isa, Cos, &x))) {
            let (true_sin, true_cos) = f64::from(x).sin_cos();
            let off = (f64::from(sin) - true_sin).abs().max((f64::from(cos) - true_cos).abs());
            assert!(off <= 1e-7, "{}: at {x} {sin} and {cos}, {off} off", isa.name());
            worst = worst.max(off);
            assert!(x.abs() > 1.0 || ulps(sin, true_sin) <= 1.5, "{}: sin({x}) is {sin}", isa.name());
        }
        println!("{}: {worst:.2e}", isa.name());
        for (x, y) in [1e9, 3e38, -1e20].iter().zip(run(isa, Sin, &[1e9, 3e38, -1e20])) {
            assert!(y.abs() <= 1.0, "{}: sin({x}) is {y}", isa.name());
        }
        for y in NANS.map(f32::from_bits).into_iter().flat_map(|x| [run(isa, Sin, &[x])[0], run(isa, Cos, &[x])[0]]) {
            assert!(y.is_nan(), "{}: NaN became {y}", isa.name());
        }
    }
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
