//! Rows of very many equal numbers: a loss that is a mean over a row is what it is of one number, and sums of
//! a row are exact. In: losses; out: nothing, or what rounding adds up to.

use nn_runtime::losses::{
    BinaryCrossEntropy, BinaryFocal, CosineSimilarity, CrossEntropy, ElementWeights, Focal, GaussianNll, Hinge, Huber,
    KlDivergence, LossOn, Mae, Mse, Poisson, Quantile, Triplet,
};
use nn_runtime::prelude::*;
use nn_runtime::{Isa, Probe, Shape};

const WIDTH: usize = 200_003;

loss! {
    pub energy(y, t) = sum(square(y - t)) / (sum(square(t)) + 1e-9);
    pub row_energy(y, t) = row_sum(square(y - t)) / (row_sum(square(t)) + 1e-9)
}

#[track_caller]
fn near(found: f64, truth: f64, what: &str) {
    assert!((found - truth).abs() <= 1.5e-6 * truth.abs(), "{what}: {found} instead of {truth}");
}

/// Of a mean: one row of many, and many rows of one; the gradient of each number is a share of that of one.
fn is_a_mean(what: &str, loss: impl LossOn<[f32]>, t: f32) {
    for isa in Isa::available() {
        let what = format!("{what} {}", isa.name());
        let mut slope = [0.0];
        let truth = loss.gradient(isa, 1, &[0.3], &[t], 1.0, &mut slope);
        let (y, targets, mut dy) = (vec![0.3; WIDTH], vec![t; WIDTH], vec![0.0; WIDTH]);
        near(loss.gradient(isa, WIDTH, &y, &targets, 1.0, &mut dy), truth, &what);
        near(loss.value(isa, WIDTH, &y, &targets), truth, &what);
        near(loss.value(isa, 1, &y, &targets), truth * WIDTH as f64, &what);
        let one = f64::from(slope[0]) / WIDTH as f64;
        assert!(dy.iter().all(|dy| (f64::from(*dy) - one).abs() <= 1e-6 * one.abs()), "{what}: {} for {one}", dy[7]);
    }
}

#[test]
fn means_of_many_are_those_of_one() {
    is_a_mean("Mse", Mse::new(), 0.1);
    is_a_mean("Mse, half", Mse::half(), 0.1);
    is_a_mean("Mae", Mae::new(), 0.1);
    is_a_mean("Huber", Huber::new(), 0.1);
    is_a_mean("Huber, far", Huber::new(), 7.0);
    is_a_mean("Quantile", Quantile::new(0.9), 0.1);
    is_a_mean("BinaryCrossEntropy", BinaryCrossEntropy::new(), 0.1);
    is_a_mean("pos_weight", BinaryCrossEntropy::new().pos_weight(3.0), 0.1);
    is_a_mean("BinaryFocal", BinaryFocal::new(), 1.0);
    is_a_mean("Hinge", Hinge::new(), 1.0);
    is_a_mean("Hinge, squared", Hinge::squared(), 1.0);
    is_a_mean("Poisson", Poisson::new(), 0.1);
    is_a_mean("Poisson of rates", Poisson::new().log_input(false), 0.1);
}

#[test]
fn sums_of_a_row_are_exact() {
    let n = WIDTH as f64;
    let (y, t) = (vec![0.3f32; WIDTH], vec![0.1f32; WIDTH]);
    let (a, b) = (f64::from(0.3f32), f64::from(0.1f32));
    let square = (a - b) * (a - b);
    for isa in Isa::available() {
        let alternating: Vec<f32> = (0..WIDTH - 1).map(|i| if i % 2 == 0 { 0.3 } else { 0.1 }).collect();
        let cosine = (a * b + b * b) / ((a * a + b * b).sqrt() * (2.0 * b * b).sqrt());
        let found = CosineSimilarity::new().value(isa, WIDTH - 1, &alternating, &t[..WIDTH - 1]);
        assert!((found - 1.0 + cosine).abs() <= 1e-6, "CosineSimilarity: {found}");
        near(Energy::new().value(isa, WIDTH, &y, &t), square / (b * b), "a formula of sums");
        let correlation = RowEnergy::new().value(isa, WIDTH, &y, &t);
        near(correlation, square / (b * b), "a formula of sums of a row");
        let weighted: Vec<f32> = [&t[..], &vec![0.75; WIDTH]].concat();
        near(ElementWeights::new(Mse::new()).value(isa, WIDTH, &y, &weighted), 0.75 * square, "ElementWeights");
        // Means, and logarithms of variances.
        let truth = 0.5 * (a + square / a.exp());
        near(GaussianNll::new().value(isa, 2 * WIDTH, &vec![0.3; 2 * WIDTH], &t), truth, "GaussianNll");
        // An anchor, its like and another.
        let rows: Vec<f32> = [&y[..], &t[..], &y[..]].concat();
        let found = Triplet::new().value(isa, 3 * WIDTH, &rows, &[0.0][..]);
        near(found, 1.0 + square.sqrt() * n.sqrt(), "Triplet");
    }
}

/// Of one class that is far above all others, whose exponentials are 0.1.
#[test]
fn sums_over_classes_are_exact() {
    let n = WIDTH as f64;
    let mut z = vec![0.3f32; WIDTH];
    z[5] = 2.6;
    let top = f64::from(2.6f32) - f64::from(0.3f32);
    let low = (-top).exp();
    let log = (1.0 + (n - 1.0) * low).ln();
    for isa in Isa::available() {
        let mut dy = vec![0.0; WIDTH];
        let loss = |loss: CrossEntropy, label: u32| loss.value(isa, WIDTH, &z, &[label][..]);
        near(CrossEntropy::new().gradient(isa, WIDTH, &z, &[5u32][..], 1.0, &mut dy), log, "CrossEntropy");
        let share = low / (1.0 + (n - 1.0) * low);
        assert!(
            dy.iter().enumerate().all(|(i, dy)| i == 5 || (f64::from(*dy) / share - 1.0).abs() <= 2e-6),
            "{}",
            dy[7]
        );
        near(loss(CrossEntropy::new(), 7), log + top, "CrossEntropy");
        let smoothed = log + 0.5 * (top + top * (n - 1.0) / n);
        near(loss(CrossEntropy::new().label_smoothing(0.5), 7), smoothed, "smoothed");
        let shares = vec![1.0 / WIDTH as f32; WIDTH];
        let mean = log + top * (n - 1.0) / n;
        near(CrossEntropy::new().gradient(isa, WIDTH, &z, &shares[..], 1.0, &mut dy), mean, "a distribution");
        assert!(
            dy.iter().enumerate().all(|(i, dy)| i == 5 || (f64::from(*dy) - share + 1.0 / n).abs() <= 2e-6 / n),
            "{}",
            dy[7]
        );
        let p = (-log - top).exp();
        near(Focal::new().value(isa, WIDTH, &z, &[7u32][..]), (1.0 - p).powi(2) * (log + top), "Focal");
        // Every second class has all of the target.
        let half: Vec<f32> = (0..WIDTH - 1).map(|i| (i % 2) as f32 * 2.0 / (WIDTH - 1) as f32).collect();
        let equal = vec![0.3; WIDTH - 1];
        let found = KlDivergence::new().value(isa, WIDTH - 1, &equal, &half);
        // What is left of two numbers near 12.
        assert!((found - 2f64.ln()).abs() <= 1e-5, "KlDivergence: {found}");
        let probe = |rule| Probe::new(Softmax::new(), rule, [Shape::of([WIDTH])]).unwrap().isa(isa);
        let [y] = probe(Softmax::rule).forward(1, [&z]);
        assert!(y.iter().enumerate().all(|(i, y)| i == 5 || (f64::from(*y) / share - 1.0).abs() <= 2e-6), "Softmax");
    }
}
