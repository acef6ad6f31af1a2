//! What a generated test does: values and derivatives as vector code computes them, beside the formula as it
//! was written and its central differences, in double precision. In: both; out: nothing, or a panic that says
//! where they part. Points at a corner, or where the formula has no value, are left out, but never all of
//! them.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write;

use super::curve::{Curve, Of};
use super::learning::{At, Learning, Sums};
use crate::losses::elementwise::Formula;
use nn_kernels::elementwise::Map;
use nn_kernels::simd::{Isa, Simd};

/// The step of differences.
const STEP: f64 = 1e-4;
/// How far values and derivatives may be off, as a share of their own size and of what is usual for the
/// formula.
const OWN: f64 = 1e-3;
const USUAL: f64 = 1e-4;
/// How many points have to be left at least.
const ENOUGH: usize = 8;

/// Where to look: densely near 0, coarsely far out, at no number that is likely to be a corner.
fn grid() -> Vec<f32> {
    let near = (-80..80).map(|i| (i as f32 + 0.371) * 0.0503);
    let far = (-15..15).map(|i| (i as f32 + 0.519) * 2.13);
    near.chain(far).collect()
}

/// A number in double precision beside the one that was found.
struct Point {
    at: f64,
    found: f32,
    truth: f64,
}

/// Fails where found and true numbers are not near.
#[track_caller]
fn compare(what: &str, isa: Isa, points: &[Point]) {
    let mut sizes: Vec<f64> = points.iter().map(|point| point.truth.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let usual = sizes.get(sizes.len() / 2).copied().unwrap_or(0.0);
    assert!(
        points.len() >= ENOUGH,
        "expected {what} at {ENOUGH} of the points between -30 and 30, found {} without a corner there",
        points.len()
    );
    for Point { at, found, truth } in points {
        let off = (f64::from(*found) - truth).abs();
        // Not `off > …`: NaN is not near.
        assert!(
            off <= OWN * truth.abs() + USUAL * usual.max(1e-30),
            "expected {what} of {truth:.6} at {at:.4}, found {found:.6} ({})",
            isa.name()
        );
    }
}

/// The slope of `f` at `x`, unless there is a corner, or no value.
fn slope(f: impl Fn(f64) -> f64, x: f64) -> Option<f64> {
    let central = |step: f64| (f(x + step) - f(x - step)) / (2.0 * step);
    let (coarse, fine) = (central(STEP), central(STEP / 4.0));
    let (left, right) = ((f(x) - f(x - STEP)) / STEP, (f(x + STEP) - f(x)) / STEP);
    let size = coarse.abs().max(1.0);
    let smooth = (coarse - fine).abs() <= 1e-4 * coarse.abs() + 1e-7 && (left - right).abs() <= 0.05 * size;
    (smooth && fine.abs() < 1e30).then_some(fine)
}

/// A formula of one number.
///
/// # Panics
/// Value or derivative are not those of `truth`.
pub fn check_curve<C: Curve>(name: &str, curve: &C, truth: impl Fn(f64) -> f64) {
    let x = grid();
    for isa in Isa::available() {
        let (mut y, mut dx) = (vec![0.0; x.len()], vec![1.0; x.len()]);
        isa.map(&Of(curve), &x, &mut y);
        isa.zip_in_place(&Of(curve), &mut dx, if C::FROM_OUTPUT { &y } else { &x });
        let (values, slopes) = points(&x, (&y, &dx), &truth);
        report(name, "x", isa, &values, &slopes);
    }
}

/// A formula of one number and learnt parameters, with those it begins with.
///
/// # Panics
/// Value or a derivative are not those of `truth`.
pub fn check_learning<C: Learning<P>, const P: usize>(
    name: &str,
    curve: &C,
    params: [f32; P],
    truth: impl Fn([f64; P], f64) -> f64,
) {
    let (x, wide) = (grid(), params.map(f64::from));
    for isa in Isa::available() {
        let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        isa.map(&At(curve, params), &x, &mut y);
        isa.zip(&At(curve, params), &x, &vec![1.0; x.len()], &mut dx);
        let (values, slopes) = points(&x, (&y, &dx), |x| truth(wide, x));
        report(name, "x", isa, &values, &slopes);
        for k in 0..P {
            let mut points = Vec::new();
            for &x in &x {
                let at = f64::from(x);
                let of_param = |p: f64| {
                    let mut moved = wide;
                    moved[k] = p;
                    truth(moved, at)
                };
                let Some(truth) = slope(of_param, wide[k]) else { continue };
                let found = isa.run(Sums(At(curve, params), &[x], &[1.0]))[k] as f32;
                points.push(Point { at, found, truth });
            }
            let mut what = String::new();
            let _ = write!(what, "a derivative of `{name}` with respect to parameter {k}");
            compare(&what, isa, &points);
        }
    }
}

/// The value of a loss.
struct ValueOf<'a, L>(&'a L);

impl<L: Formula> Map<2> for ValueOf<'_, L> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [y, t]: [S::F; 2]) -> S::F {
        self.0.both(s, y, t).0
    }
}

/// The slope of a loss.
struct SlopeOf<'a, L>(&'a L);

impl<L: Formula> Map<2> for SlopeOf<'_, L> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [y, t]: [S::F; 2]) -> S::F {
        self.0.both(s, y, t).1
    }
}

/// A formula of output and target.
///
/// # Panics
/// Value or derivative are not those of `truth`.
pub fn check_loss(name: &str, loss: &impl Formula, truth: impl Fn(f64, f64) -> f64) {
    let y = grid();
    for isa in Isa::available() {
        let (mut all, mut slopes) = (Vec::new(), Vec::new());
        for t in [0.0, 1.0, 0.3, 2.6, -1.7] {
            let (mut values, mut dy) = (vec![0.0; y.len()], vec![0.0; y.len()]);
            isa.zip(&ValueOf(loss), &y, &vec![t; y.len()], &mut values);
            isa.zip(&SlopeOf(loss), &y, &vec![t; y.len()], &mut dy);
            let t = f64::from(t);
            let (more, more_slopes) = points(&y, (&values, &dy), |y| truth(y, t));
            all.extend(more);
            slopes.extend(more_slopes);
        }
        report(name, "y", isa, &all, &slopes);
    }
}

fn points(x: &[f32], (y, dx): (&[f32], &[f32]), truth: impl Fn(f64) -> f64) -> (Vec<Point>, Vec<Point>) {
    let (mut values, mut slopes) = (Vec::new(), Vec::new());
    for ((&x, &y), &dx) in x.iter().zip(y).zip(dx) {
        let at = f64::from(x);
        let value = truth(at);
        if value.is_finite() && value.abs() < 1e30 {
            values.push(Point { at, found: y, truth: value });
            slopes.extend(slope(&truth, at).map(|truth| Point { at, found: dx, truth }));
        }
    }
    (values, slopes)
}

fn report(name: &str, by: &str, isa: Isa, values: &[Point], slopes: &[Point]) {
    let (mut value, mut derivative) = (String::new(), String::new());
    let _ = write!(value, "a value of `{name}`");
    let _ = write!(derivative, "a derivative of `{name}` with respect to `{by}`");
    compare(&value, isa, values);
    compare(&derivative, isa, slopes);
}
