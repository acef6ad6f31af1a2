//! Every loss: values and gradients against PyTorch and against its formula, on every instruction set; what targets are refused;
//! and what counts as right.

mod ctc;
mod more;
mod weights;

use nn_runtime::Isa;
use nn_runtime::losses::{BinaryCrossEntropy, CrossEntropy, Huber, LossOn, Mae, Mse};
use nn_tests::fixtures::{Case, load};
use nn_tests::numbers::{assert_near, numbers, slopes, wide};

/// A single number is no choice between classes: losses of classes begin with the second.
const WIDTHS: [usize; 6] = [1, 2, 3, 10, 17, 33];
const BATCHES: [usize; 6] = [1, 2, 3, 7, 17, 33];

/// Value and gradient of the mean over samples, on every instruction set; the gradient on its own for cut batches too.
fn compare<T: Copy>(
    what: &str,
    loss: &impl LossOn<[T]>,
    (width, per_sample): (usize, usize),
    y: &[f32],
    target: &[T],
    (value, gradient): (f64, &[f64]),
) {
    let batch = y.len() / width;
    let scale = 1.0 / batch as f32;
    for isa in Isa::available() {
        let what = format!("{what} [{batch}, {width}] {}", isa.name());
        let mut dy = vec![f32::NAN; y.len()];
        let sum = loss.gradient(isa, width, y, target, scale, &mut dy);
        assert_near(&[(sum / batch as f64) as f32], &[value], &what);
        assert_near(&dy, gradient, &format!("{what}: dy"));
        let alone = loss.value(isa, width, y, target);
        assert!((alone - sum).abs() <= 1e-6 * sum.abs(), "{what}: {alone} without the gradient, {sum} with it");

        let cut = batch / 2;
        let mut parts = vec![f32::NAN; y.len()];
        let (first, second) = parts.split_at_mut(cut * width);
        let (y, target) = (y.split_at(cut * width), target.split_at(cut * per_sample));
        let sums = loss.gradient(isa, width, y.0, target.0, scale, first)
            + loss.gradient(isa, width, y.1, target.1, scale, second);
        assert_eq!(parts, dy, "{what}: the gradient of a cut batch");
        assert!((sums - sum).abs() <= 1e-5 * sum.abs(), "{what}: {sums} for a cut batch");
    }
}

/// A mean over the samples of a formula of one sample.
fn against_formula(
    what: &str,
    loss: &impl LossOn<[f32]>,
    widths: &[usize],
    targets: fn(u64, usize) -> Vec<f32>,
    formula: impl Fn(&[f64], &[f64]) -> f64,
) {
    for &width in widths {
        for batch in BATCHES {
            let (y, target) = (numbers(batch as u64, batch * width, 4.0), targets(width as u64 + 50, batch * width));
            let mean = |y: &[f64]| {
                let samples = y.chunks(width).zip(target.chunks(width));
                samples.map(|(y, t)| formula(y, &wide(t))).sum::<f64>() / batch as f64
            };
            let y64 = wide(&y);
            compare(what, loss, (width, width), &y, &target, (mean(&y64), &slopes(&y64, mean)));
        }
    }
}

fn against_pytorch<L: LossOn<[f32]>>(file: &str, make: impl Fn(&Case) -> Option<L>, expected: usize) {
    let mut cases = 0;
    for case in load(file) {
        let Some(loss) = make(&case) else { continue };
        let width = case.inputs[0].shape[1];
        let (y, target) = (case.inputs[0].narrow(), case.inputs[1].narrow());
        let answer = (case.output.as_ref().unwrap().data[0], &case.dinputs[0].data[..]);
        compare(&format!("{file} {}", case.name), &loss, (width, width), &y, &target, answer);
        cases += 1;
    }
    assert!(cases >= expected, "{file}: {cases} cases");
}

fn values(seed: u64, len: usize) -> Vec<f32> {
    numbers(seed, len, 3.0)
}

fn shares(seed: u64, len: usize) -> Vec<f32> {
    numbers(seed, len, 1.0).iter().map(|x| x.abs()).collect()
}

fn mean(y: &[f64], t: &[f64], of: impl Fn(f64, f64) -> f64) -> f64 {
    y.iter().zip(t).map(|(&y, &t)| of(y, t)).sum::<f64>() / y.len() as f64
}

#[test]
fn mse() {
    against_pytorch("mse", |_| Some(Mse::new()), 5);
    against_formula("mse", &Mse::new(), &WIDTHS, values, |y, t| mean(y, t, |y, t| (y - t).powi(2)));
    against_formula("half mse", &Mse::half(), &WIDTHS, values, |y, t| mean(y, t, |y, t| 0.5 * (y - t).powi(2)));
}

#[test]
fn mae() {
    against_pytorch("mae", |_| Some(Mae::new()), 5);
    against_formula("mae", &Mae::new(), &WIDTHS, values, |y, t| mean(y, t, |y, t| (y - t).abs()));
}

#[test]
fn huber() {
    against_pytorch("huber", |case| Some(Huber::new().delta(case.number("delta") as f32)), 10);
    for delta in [0.25, 1.0, 3.0] {
        against_formula("huber", &Huber::new().delta(delta as f32), &WIDTHS, values, |y, t| {
            mean(y, t, |y, t| {
                let d = (y - t).abs();
                if d <= delta { 0.5 * d * d } else { delta * (d - 0.5 * delta) }
            })
        });
    }
}

#[test]
fn binary_cross_entropy() {
    let loss = BinaryCrossEntropy::new();
    // The other cases answer for probabilities; this loss reads scores.
    against_pytorch("binary_cross_entropy", |case| (case.word("from") == "logits").then_some(loss), 9);
    against_formula("binary cross-entropy", &loss, &WIDTHS, shares, |z, t| {
        mean(z, t, |z, t| {
            let p = 1.0 / (1.0 + (-z).exp());
            -(t * p.ln() + (1.0 - t) * (1.0 - p).ln())
        })
    });
}

fn cross_entropy_formula(smoothing: f64) -> impl Fn(&[f64], &[f64]) -> f64 {
    move |z, t| {
        let log_sum = z.iter().map(|z| z.exp()).sum::<f64>().ln();
        let smooth = |t: f64| (1.0 - smoothing) * t + smoothing / z.len() as f64;
        z.iter().zip(t).map(|(z, &t)| smooth(t) * (log_sum - z)).sum()
    }
}

#[test]
fn cross_entropy_on_labels() {
    let mut cases = 0;
    for case in load("cross_entropy").iter().filter(|case| case.word("targets") == "labels") {
        let labels: Vec<u32> = case.inputs[1].data.iter().map(|&label| label as u32).collect();
        let loss = CrossEntropy::new().label_smoothing(case.number("label_smoothing") as f32);
        let answer = (case.output.as_ref().unwrap().data[0], &case.dinputs[0].data[..]);
        compare(&case.name, &loss, (case.inputs[0].shape[1], 1), &case.inputs[0].narrow(), &labels, answer);
        cases += 1;
    }
    assert!(cases >= 14, "{cases} cases");

    for smoothing in [0.0, 0.25] {
        let loss = CrossEntropy::new().label_smoothing(smoothing as f32);
        for &width in &WIDTHS[1..] {
            for batch in BATCHES {
                let z = numbers(batch as u64, batch * width, 4.0);
                let labels: Vec<u32> = (0..batch).map(|i| (i * 7 % width) as u32).collect();
                let mean = |z: &[f64]| {
                    let samples = z.chunks(width).zip(&labels).map(|(z, &label)| {
                        let t: Vec<f64> = (0..width).map(|class| f64::from(class == label as usize)).collect();
                        cross_entropy_formula(smoothing)(z, &t)
                    });
                    samples.sum::<f64>() / batch as f64
                };
                let z64 = wide(&z);
                compare("labels", &loss, (width, 1), &z, &labels, (mean(&z64), &slopes(&z64, mean)));
            }
        }
    }
}

#[test]
fn cross_entropy_on_distributions() {
    let loss = |case: &Case| CrossEntropy::new().label_smoothing(case.number("label_smoothing") as f32);
    against_pytorch("cross_entropy", |case| (case.word("targets") == "distributions").then(|| loss(case)), 14);
    for smoothing in [0.0, 0.25] {
        let loss = CrossEntropy::new().label_smoothing(smoothing as f32);
        against_formula("distributions", &loss, &WIDTHS[1..], shares, cross_entropy_formula(smoothing));
    }
}

#[test]
fn numbers_that_are_none_show_and_nothing_panics() {
    fn check(loss: &impl LossOn<[f32]>) {
        for isa in Isa::available() {
            for bad in [f32::NAN, f32::INFINITY] {
                let mut y = vec![0.5; 21];
                y[19] = bad;
                let mut dy = vec![0.0; 21];
                let sum = loss.gradient(isa, 3, &y, &[0.5; 21], 1.0, &mut dy);
                assert!(!sum.is_finite(), "{}: {bad} gave {sum}", isa.name());
                assert!(dy[..18].iter().all(|dy| dy.is_finite()), "{}: {bad} reached other samples", isa.name());
                assert!(!bad.is_nan() || dy[19].is_nan(), "{}: NaN gave {}", isa.name(), dy[19]);
            }
        }
    }
    check(&Mse::new());
    check(&Mae::new());
    check(&Huber::new());
    check(&BinaryCrossEntropy::new());
    check(&CrossEntropy::new());
}

#[test]
fn targets_that_cannot_be_are_refused() {
    let labels: &[u32] = &[0, 2, 3, 9];
    assert_eq!(CrossEntropy::new().fault(3, labels, 4), Some((2, "expected a label from 0 to 2, found 3".to_owned())));
    assert_eq!(CrossEntropy::new().fault(10, labels, 4), None);
    assert_eq!(
        CrossEntropy::new().fault(10, labels, 2),
        Some((0, "expected 1 label for each row of scores, found 2\nhelp: labels per step want an output of [steps, classes]".to_owned()))
    );
    let targets: &[f32] = &[0.0, 1.0, 0.5, 1.5];
    assert_eq!(
        BinaryCrossEntropy::new().fault(2, targets, 2),
        Some((1, "expected targets from 0 to 1, found 1.5".to_owned()))
    );
    assert_eq!(Mse::new().fault(2, targets, 2), None);
    assert_eq!(
        Mae::new().fault(3, targets, 2),
        Some((0, "expected 3 targets, as many as a row of the output has numbers, found 2".to_owned()))
    );
    assert_eq!(
        Huber::new().fault(1, &[0.0, f32::NAN][..], 2),
        Some((1, "expected finite targets, found NaN".to_owned()))
    );
    let shares: &[f32] = &[0.5, 0.5, -1.0, 2.0];
    assert_eq!(
        CrossEntropy::new().fault(2, shares, 2),
        Some((1, "expected finite shares of at least 0, found -1".to_owned()))
    );
}

#[test]
fn right_answers_are_counted() {
    let y: &[f32] = &[0.1, 0.9, 0.8, 0.2, 0.3, 0.7];
    let (labels, shares): (&[u32], &[f32]) = (&[1, 1, 1], &[0.0, 1.0, 0.6, 0.4, 0.9, 0.1]);
    assert_eq!(CrossEntropy::new().correct(2, y, labels), Some(2));
    assert_eq!(CrossEntropy::new().correct(2, y, shares), Some(2));
    assert_eq!(BinaryCrossEntropy::new().correct(1, &[-1.0, 2.0, 3.0], &[0.0, 1.0, 0.0][..]), Some(2));
    // A sample is right where all of it is.
    assert_eq!(BinaryCrossEntropy::new().correct(2, &[-1.0, 2.0, 3.0, f32::NAN], &[0.0, 1.0, 1.0, 0.0][..]), Some(1));
    assert_eq!(Mse::new().correct(2, y, shares), None);
}

#[test]
#[should_panic(expected = "expected a delta above 0, found 0")]
fn huber_needs_a_delta() {
    let _ = Huber::new().delta(0.0);
}

#[test]
#[should_panic(expected = "expected a label smoothing from 0 up to but without 1, found 1")]
fn smoothing_leaves_something_of_the_labels() {
    let _ = CrossEntropy::new().label_smoothing(1.0);
}
