//! `GaussianNll`: against PyTorch and its formula, and in training, where it finds the spread of its targets.

use nn_runtime::losses::{GaussianNll, LossOn};
use nn_runtime::prelude::*;
use nn_tests::fixtures::load;
use nn_tests::numbers::{numbers, slopes, wide};

use crate::harness::compare;

#[test]
fn it_agrees_with_pytorch() {
    let mut cases = 0;
    for case in load("gaussian_nll") {
        let (width, n) = (case.inputs[0].shape[1], case.inputs[1].shape[1]);
        let loss = GaussianNll::new().full(case.number("full") > 0.0);
        let (y, target) = (case.inputs[0].narrow(), case.inputs[1].narrow());
        let answer = (case.output.as_ref().unwrap().data[0], &case.dinputs[0].data[..]);
        compare(&case.name, &loss, (width, n), &y, &target, answer);
        cases += 1;
    }
    assert_eq!(cases, 10);
}

#[test]
fn it_is_its_formula() {
    for n in [1, 2, 16, 17, 40] {
        for batch in [1, 2, 7] {
            let (y, target) = (numbers(n as u64, batch * 2 * n, 2.0), numbers(50 + n as u64, batch * n, 3.0));
            let truth = |y: &[f64]| {
                let of = |(y, t): (&[f64], &[f32])| {
                    let each = (0..n).map(|i| 0.5 * (y[n + i] + (y[i] - f64::from(t[i])).powi(2) * (-y[n + i]).exp()));
                    each.sum::<f64>() / n as f64
                };
                y.chunks(2 * n).zip(target.chunks(n)).map(of).sum::<f64>() / batch as f64
            };
            let y64 = wide(&y);
            compare("formula", &GaussianNll::new(), (2 * n, n), &y, &target, (truth(&y64), &slopes(&y64, truth)));
        }
    }
}

/// A mean that is the target, or nearly, however small the variance; and far from it, however large.
#[test]
fn variances_of_every_size() {
    for (off, log) in [(0.0, -95.0), (0.0, -170.0), (0.0, -400.0), (1e-20, -95.0), (1e-13, -60.0), (1e20, 95.0)] {
        let (o, l) = (f64::from(off), f64::from(log));
        let score = o * (-l / 2.0).exp();
        let truth = (0.5 * (l + score * score), &[o * (-l).exp(), 0.5 * (1.0 - score * score)][..]);
        compare(&format!("{off:e} off, {log}"), &GaussianNll::new(), (2, 1), &[off, log], &[0.0], truth);
    }
}

#[test]
fn targets_that_do_not_fit_are_refused() {
    let fault = |width, target: &[f32], rows| GaussianNll::new().fault(width, target, rows);
    assert_eq!(fault(4, &[1.0, 2.0], 1), None);
    let text = "expected a mean and the logarithm of a variance for each target, found 3 targets for 3 numbers\n\
                help: end the network in 6 numbers a row, the means first";
    assert_eq!(fault(3, &[1.0, 2.0, 3.0], 1), Some((0, text.to_owned())));
    let text = "expected a mean and the logarithm of a variance for each target, found 2 targets for 2 numbers\n\
                help: end the network in 4 numbers a row, the means first";
    assert_eq!(fault(2, &[1.0; 4], 2), Some((0, text.to_owned())));
    assert_eq!(fault(2, &[1.0, f32::NAN], 2), Some((1, "expected finite targets, found NaN".to_owned())));
}

network! { struct Spread: [1] -> [2] { Dense(2) } }

/// Targets around 3, twice as far off where the input is 1: the mean and both spreads are found.
#[test]
fn a_network_learns_how_far_off_it_is() {
    let x: Vec<f32> = (0..400).map(|i| (i % 2) as f32).collect();
    let t: Vec<f32> = numbers(9, 400, 1.0).iter().zip(&x).map(|(noise, x)| 3.0 + noise * (1.0 + x)).collect();
    let mut model = Spread::init(1);
    let data = Dataset::values((&x[..], 1), (&t[..], 1)).unwrap();
    Trainer::new(&mut model, GaussianNll::new(), Adam::new(0.05)).fit(&data, Fit::epochs(300).batch(100)).unwrap();
    let variance = |at: usize| {
        let own: Vec<f64> = t.iter().skip(at).step_by(2).map(|t| f64::from(*t)).collect();
        let mean = own.iter().sum::<f64>() / 200.0;
        own.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / 200.0
    };
    for at in [0, 1] {
        let y = *model.predictor(1).predict(&[at as f32]);
        assert!((y[0] - 3.0).abs() < 0.2, "a mean of {}", y[0]);
        assert!((f64::from(y[1]) - variance(at).ln()).abs() < 0.15, "{} for {}", y[1], variance(at).ln());
    }
}
