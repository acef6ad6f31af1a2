//! `CrossEntropy` on labels and on distributions: against PyTorch and its formula, smoothed too; what counts
//! as right.

use nn_runtime::Isa;
use nn_runtime::losses::{CrossEntropy, Ctc, Focal, KlDivergence, LossOn};
use nn_tests::fixtures::{Case, load};
use nn_tests::numbers::{numbers, slopes, wide};

use crate::harness::{BATCHES, WIDTHS, against_formula, against_pytorch, compare, unit_values};

fn formula(smoothing: f64) -> impl Fn(&[f64], &[f64]) -> f64 {
    move |z, t| {
        let log_sum = z.iter().map(|z| z.exp()).sum::<f64>().ln();
        let smooth = |t: f64| (1.0 - smoothing) * t + smoothing / z.len() as f64;
        z.iter().zip(t).map(|(z, &t)| smooth(t) * (log_sum - z)).sum()
    }
}

#[test]
fn on_labels() {
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
                        formula(smoothing)(z, &t)
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
fn on_distributions() {
    let loss = |case: &Case| CrossEntropy::new().label_smoothing(case.number("label_smoothing") as f32);
    against_pytorch("cross_entropy", |case| (case.word("targets") == "distributions").then(|| loss(case)), 14);
    for smoothing in [0.0, 0.25] {
        let loss = CrossEntropy::new().label_smoothing(smoothing as f32);
        against_formula("distributions", &loss, &WIDTHS[1..], unit_values, formula(smoothing));
    }
}

#[test]
fn labels_name_a_class() {
    let labels: &[u32] = &[0, 2, 3, 9];
    assert_eq!(CrossEntropy::new().fault(3, labels, 4), Some((2, "expected a label from 0 to 2, found 3".to_owned())));
    assert_eq!(CrossEntropy::new().fault(10, labels, 4), None);
    assert_eq!(
        CrossEntropy::new().fault(10, labels, 2),
        Some((0, "expected 1 label for each row of scores, found 2\nhelp: labels per step want an output of [steps, classes]".to_owned()))
    );
}

#[test]
fn distributions_are_not_negative() {
    let distributions: &[f32] = &[0.5, 0.5, -1.0, 2.0];
    assert_eq!(
        CrossEntropy::new().fault(2, distributions, 2),
        Some((1, "expected finite shares of at least 0, found -1".to_owned()))
    );
}

#[test]
fn right_answers_are_counted() {
    let y: &[f32] = &[0.1, 0.9, 0.8, 0.2, 0.3, 0.7];
    let (labels, distributions): (&[u32], &[f32]) = (&[1, 1, 1], &[0.0, 1.0, 0.6, 0.4, 0.9, 0.1]);
    assert_eq!(CrossEntropy::new().correct(2, y, labels), Some(2));
    assert_eq!(CrossEntropy::new().correct(2, y, distributions), Some(2));
}

/// Whatever the label, and wherever among the scores NaN stands.
#[test]
fn a_score_that_is_no_number_is_never_right() {
    let nan = f32::NAN;
    for row in [[nan; 3], [nan, 2.0, 1.0], [1.0, nan, 2.0], [1.0, 2.0, nan]] {
        for label in [0u32, 1, 2] {
            let mut shares = [0.0f32; 3];
            shares[label as usize] = 1.0;
            let (labels, shares) = (&[label][..], &shares[..]);
            assert_eq!(CrossEntropy::new().correct(3, &row, labels), Some(0), "{row:?} {label}");
            assert_eq!(Focal::new().correct(3, &row, labels), Some(0), "{row:?} {label}");
            assert_eq!(CrossEntropy::new().correct(3, &row, shares), Some(0), "{row:?} {label}");
            assert_eq!(KlDivergence::new().correct(3, &row, shares), Some(0), "{row:?} {label}");
        }
        assert_eq!(Ctc::new().correct(3, &row, &[0u32][..]), Some(0), "{row:?}");
    }
}

#[test]
#[should_panic(expected = "expected a label smoothing from 0 up to but without 1, found 1")]
fn smoothing_leaves_something_of_the_labels() {
    let _ = CrossEntropy::new().label_smoothing(1.0);
}

/// What is left of a loss that is sure and right, and its gradient, to a few roundings of their own size; in
/// rows of one vector and of several, as labels and as distributions.
#[test]
fn scores_that_are_sure_are_exact() {
    let loss = CrossEntropy::new();
    for isa in Isa::available() {
        for width in [2usize, 3, 10, 16, 17, 40] {
            for label in [0, width - 1] {
                for score in [-30.0f32, -3.0, 3.0, 12.0, 15.0, 18.0, 40.0, 80.0] {
                    let what = format!("{} {score}, {label} of {width}", isa.name());
                    let mut z = vec![0.0; width];
                    z[label] = score;
                    let others = (width - 1) as f64;
                    // ln(1 + (n - 1) · e^-score), and each other's probability.
                    let truth = (others * (-f64::from(score)).exp()).ln_1p();
                    let each = 1.0 / (others + f64::from(score).exp());
                    let one_hot: Vec<f32> = (0..width).map(|i| f32::from(i == label)).collect();
                    let label = [label as u32];
                    let (mut by_label, mut by_share) = (vec![f32::NAN; width], vec![f32::NAN; width]);
                    let found = [
                        loss.gradient(isa, width, &z, &label[..], 1.0, &mut by_label),
                        loss.gradient(isa, width, &z, &one_hot[..], 1.0, &mut by_share),
                        loss.value(isa, width, &z, &label[..]),
                    ];
                    for found in found {
                        assert!((found - truth).abs() <= 1e-6 * truth, "{what}: {found:e}, expected {truth:e}");
                    }
                    for dz in [by_label, by_share] {
                        for (i, dz) in dz.iter().enumerate() {
                            let truth = if i as u32 == label[0] { -others * each } else { each };
                            let off = (f64::from(*dz) - truth).abs();
                            assert!(off <= 1e-6 * truth.abs(), "{what}, {i}: {dz:e}, expected {truth:e}");
                        }
                    }
                }
            }
        }
    }
}
