//! `ElementWeights`: against PyTorch, against the same numbers one by one, and in training.

use nn_runtime::Isa;
use nn_runtime::losses::{BinaryCrossEntropy, ElementWeights, Huber, LossOn, Mae, Mse, Quantile};
use nn_runtime::prelude::*;
use nn_tests::fixtures::load;
use nn_tests::numbers::numbers;

use crate::harness::compare;

#[test]
fn weights_of_numbers_are_pytorchs() {
    for case in load("element_weights") {
        let width = case.inputs[0].shape[1];
        let (y, target) = (case.inputs[0].narrow(), case.inputs[1].narrow());
        let answer = (case.output.as_ref().unwrap().data[0], &case.dinputs[0].data[..]);
        let with = (width, 2 * width);
        match case.word("loss") {
            "mse" => compare(&case.name, &ElementWeights::new(Mse::new()), with, &y, &target, answer),
            "mae" => compare(&case.name, &ElementWeights::new(Mae::new()), with, &y, &target, answer),
            "huber" => compare(&case.name, &ElementWeights::new(Huber::new()), with, &y, &target, answer),
            _ => compare(&case.name, &ElementWeights::new(BinaryCrossEntropy::new()), with, &y, &target, answer),
        }
    }
}

loss! { fourth(y, t) = (y - t) * (y - t) * (y - t) * (y - t) }

/// Rows of weights of 1 are the loss alone, also one of one's own; what has no weight may be anything.
#[test]
fn weights_of_one_and_of_none() {
    fn same<L: LossOn<[f32]> + Copy>(weighted: &impl LossOn<[f32]>, loss: L) {
        for (rows, width) in [(1, 1), (3, 7), (2, 33)] {
            let (y, t) = (numbers(1, rows * width, 1.0), numbers(2, rows * width, 1.0));
            let targets: Vec<f32> = t.chunks(width).flat_map(|t| [t.to_vec(), vec![1.0; width]].concat()).collect();
            for isa in Isa::available() {
                let (mut found, mut truth) = (vec![f32::NAN; y.len()], vec![f32::NAN; y.len()]);
                let sums = [
                    weighted.gradient(isa, width, &y, &targets, 0.3, &mut found),
                    loss.gradient(isa, width, &y, &t, 0.3, &mut truth),
                ];
                assert!((sums[0] - sums[1]).abs() <= 1e-6 * sums[1].abs(), "{}: {sums:?}", isa.name());
                assert_eq!(found, truth, "{}", isa.name());
            }
        }
    }
    same(&ElementWeights::new(Mse::new()), Mse::new());
    same(&ElementWeights::new(Quantile::new(0.3)), Quantile::new(0.3));
    same(&ElementWeights::new(Fourth::new()), Fourth::new());
    let loss = ElementWeights::new(Mse::new());
    for isa in Isa::available() {
        let mut dy = [f32::NAN; 2];
        let sum = loss.gradient(isa, 2, &[3.0, f32::NAN], &[1.0, f32::NAN, 2.0, 0.0][..], 1.0, &mut dy);
        assert_eq!((sum, dy), (4.0, [4.0, 0.0]), "{}", isa.name());
    }
}

#[test]
fn targets_that_do_not_fit_are_refused() {
    let fault =
        |target: &[f32]| ElementWeights::new(BinaryCrossEntropy::new()).fault(2, target, 1).map(|(_, text)| text);
    assert_eq!(fault(&[0.0, f32::NAN, 1.0, 0.0]), None);
    assert_eq!(
        fault(&[0.0, 1.0]).unwrap(),
        "expected 2 targets and then 2 weights, found 2 numbers\nhelp: give the rows of targets a width of 4"
    );
    assert_eq!(fault(&[0.0, 1.0, -1.0, 1.0]).unwrap(), "expected weights of at least 0 behind the targets, found -1");
    assert_eq!(fault(&[0.0, 2.0, 1.0, 1.0]).unwrap(), "expected targets from 0 to 1, found 2");
}

/// Only the right side of a row counts, and an answer is right where what counts is.
#[test]
fn rows_are_right_where_what_counts_is() {
    let loss = ElementWeights::new(BinaryCrossEntropy::new());
    let target = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0];
    assert_eq!(loss.correct(2, &[1.0, 5.0, 1.0, 5.0], &target[..]), Some(1));
    assert_eq!(LossOn::<[f32]>::correct(&ElementWeights::new(Mse::new()), 1, &[1.0], &[1.0, 1.0]), None);
}

network! { struct Line: [1] -> [2] { Dense(2) } }

/// Half of the targets of each output are missing: both lines are found all the same.
#[test]
fn a_network_learns_from_targets_of_which_some_are_missing() {
    let x = numbers(1, 60, 1.0);
    let row = |(i, x): (usize, &f32)| match i % 2 {
        0 => [2.0 * x + 1.0, 99.0, 1.0, 0.0],
        _ => [-99.0, -x, 0.0, 1.0],
    };
    let targets: Vec<f32> = x.iter().enumerate().flat_map(row).collect();
    let data = Dataset::values((x, 1), (targets, 4)).unwrap();
    let mut model = Line::init(1);
    let mut trainer = Trainer::new(&mut model, ElementWeights::new(Mse::new()), Adam::new(0.05));
    trainer.fit(&data, Fit::epochs(150).batch(60)).unwrap();
    let y = *model.predictor(1).predict(&[0.5]);
    assert!((y[0] - 2.0).abs() < 0.05 && (y[1] + 0.5).abs() < 0.05, "{y:?}");
}
