//! Rows of weight 0: they need no label, no number, and have no mean; and scores that are no numbers.

use nn_runtime::data::Labels;
use nn_runtime::prelude::*;
use nn_runtime::train::TrainError;

use super::params;

network! { struct Classes: [1] -> [10] { Dense(10) } }
network! { struct Two: [1] -> [2] { Dense(2) } }
network! { struct Each: [1] -> [2, 1] { Dense(2) -> Reshape([2, 1]) } }
network! { struct Steps: [4] -> [3, 5] { Dense(15) -> Reshape([3, 5]) } }
network! { struct Line: [1] -> [1] { line: Dense(1) } }
network! { struct Both: [1] -> (class: [3], size: [1]) { let class = Dense(3); let size = input -> Dense(1); } }

/// The parameters after a step on all samples, and on those alone that count.
fn as_if_left_out<N: Network, L, T>(loss: fn() -> L, data: &Dataset<T>, rest: &[usize])
where
    L: Fits<N::Head> + nn_runtime::train::Objective<T>,
    T: nn_runtime::data::Targets,
{
    let step = |data: &Dataset<T>| {
        let mut model = N::init(0);
        let mut trainer = Trainer::new(&mut model, loss(), Sgd::new(0.1));
        let losses = [trainer.step(data).unwrap(), trainer.evaluate(data).unwrap().loss];
        trainer.fit(data, Fit::epochs(2).batch(3).shuffle(false)).unwrap();
        losses.into_iter().chain(params(&model).into_iter().map(f64::from)).collect::<Vec<_>>()
    };
    for (with, without) in step(data).iter().zip(step(&data.select(rest))) {
        assert!((with - without).abs() <= 1e-6 * without.abs().max(1.0), "{with} {without}");
    }
}

#[test]
fn a_row_of_weight_0_needs_no_target() {
    let data = Dataset::classes(&[[1.0], [2.0], [3.0]], [1u32, 255, 4]).unwrap();
    let data = data.with_weights(&[[1.0], [0.0], [2.0]]).unwrap();
    as_if_left_out::<Classes, _, _>(CrossEntropy::new, &data, &[0, 2]);
    as_if_left_out::<Classes, _, _>(Focal::new, &data, &[0, 2]);
    for odd in [f32::NAN, f32::INFINITY] {
        let data = Dataset::values(&[[1.0], [2.0], [3.0]], &[[1.0, 1.0], [odd, 1.0], [0.0, 1.0]]).unwrap();
        let data = data.with_weights(&[[1.0], [0.0], [0.5]]).unwrap();
        as_if_left_out::<Two, _, _>(Mse::new, &data, &[0, 2]);
        as_if_left_out::<Two, _, _>(Huber::new, &data, &[0, 2]);
        as_if_left_out::<Two, _, _>(BinaryCrossEntropy::new, &data, &[0, 2]);
    }
    let both = (Labels::new([0u32, 99, 2]).unwrap(), {
        let values = Dataset::values(&[[0.0]; 3], &[[1.0], [f32::NAN], [2.0]]).unwrap();
        values.targets().clone()
    });
    let data = Dataset::new(&[[1.0], [2.0], [3.0]], both).unwrap().with_weights(&[[1.0], [0.0], [1.0]]).unwrap();
    as_if_left_out::<Both, _, _>(|| (CrossEntropy::new(), Mse::new()), &data, &[0, 2]);
}

#[test]
fn steps_of_weight_0_need_no_target_either() {
    let labels = Labels::per_step([1u32, 77, 2, 4, 0, 99], 3).unwrap();
    let data = Dataset::new((vec![0.5; 8], 4), labels).unwrap();
    let weighted = data.clone().with_weights(&[[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]).unwrap();
    let mut model = Steps::init(0);
    Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1)).step(&weighted).unwrap();
    // The first that counts is named, by its own place.
    let wrong = data.with_weights(&[[1.0, 0.0, 1.0], [1.0, 1.0, 0.5]]).unwrap();
    let error = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1)).step(&wrong).unwrap_err().to_string();
    assert!(error.starts_with("sample 1, step 2: expected a label from 0 to 4, found 99"), "{error}");
    let values = Dataset::values(&[[1.0], [2.0]], &[[1.0, 1.0], [f32::NAN, 1.0]]).unwrap();
    let error = Trainer::new(&mut Two::init(0), Mse::new(), Sgd::new(0.1)).step(&values).unwrap_err().to_string();
    assert_eq!(error, "sample 1, target, element 0: expected a finite number, found NaN");
}

#[test]
fn one_of_two_targets_is_missing() {
    let data = Dataset::values(&[[1.0], [2.0]], &[[1.0, 1.0], [f32::NAN, 1.0]]).unwrap();
    let data = data.with_weights(&[[1.0, 1.0], [0.0, 1.0]]).unwrap();
    let error = Trainer::new(&mut Two::init(0), Mse::new(), Sgd::new(0.1)).step(&data).unwrap_err().to_string();
    assert_eq!(
        error,
        "expected 1 weight per sample, as the output is [2], found 2\n\
         help: end the network in `Reshape([2, 1])`: each number is a row then, with a weight of its own"
    );
    // As it says.
    let mut model = Each::init(0);
    let mut predictor = model.predictor(1);
    let y: Vec<f32> = [1.0, 2.0].iter().flat_map(|x| *predictor.predict(&[*x])).collect();
    let truth = f64::from((y[0] - 1.0).powi(2) + (y[1] - 1.0).powi(2) + (y[3] - 1.0).powi(2)) / 3.0;
    let found = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1)).step(&data).unwrap();
    assert!((found - truth).abs() < 1e-6, "{found} {truth}");
}

#[test]
fn nothing_has_no_mean() {
    let data = Dataset::values((vec![1.0; 6], 1), (vec![1.0; 6], 1)).unwrap();
    let data = data.with_weights(&[[1.0], [1.0], [0.0], [1.0], [1.0], [0.0]]).unwrap();
    let (train, validation) = data.split_every(3).unwrap();
    let mut model = Line::init(0);
    let plateau = ReduceOnPlateau::new().patience(0);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.01)).schedule(plateau);
    let error = trainer.evaluate(&validation).unwrap_err();
    assert!(matches!(error, TrainError::Mismatch(_)));
    assert!(error.to_string().starts_with("expected at least 1 sample with a weight above 0, found none\nhelp: "));
    assert!(trainer.fit(&validation, Fit::epochs(1)).is_err());
    let history = trainer.fit(&train, Fit::epochs(4).validate(&validation)).unwrap();
    assert!(history.epochs.iter().all(|epoch| epoch.validation.is_none() && epoch.train.loss > 0.0));
    assert_eq!(trainer.learning_rate(), 0.01);
}

network! {
    struct OverflowingClasses: [1] -> [10] { scores: Dense(10) -> slope: Prelu -> Softmax }
}
network! {
    struct OverflowingSteps: [4] -> [3, 5] { scores: Dense(15) -> slope: Prelu -> Reshape([3, 5]) -> Softmax }
}

#[test]
fn scores_that_are_no_numbers_are_never_right() {
    // A weight of -3e38 overflows to -∞, and 0 · -∞ is NaN.
    let data = Dataset::classes(&[[2.0], [3.0], [4.0]], [0u32, 0, 1]).unwrap();
    let mut model = OverflowingClasses::init(0);
    model.set("scores.weight", &[-3e38; 10]).unwrap();
    model.set("slope.weight", &[0.0]).unwrap();
    let found = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1)).evaluate(&data).unwrap();
    assert!(found.loss.is_nan());
    assert_eq!(found.accuracy, Some(0.0));
    // One score of a row is enough; other rows are as they were.
    let data = Dataset::new((vec![1.0; 8], 4), Labels::per_step([0u32, 0, 0, 0, 0, 0], 3).unwrap()).unwrap();
    let mut model = OverflowingSteps::init(0);
    let (mut weight, mut bias) = ([0.0; 15 * 4], [-1e9; 15]);
    weight[14 * 4..].fill(-3e38);
    (bias[0], bias[5], bias[10]) = (1e9, 1e9, 1e9);
    model.set("scores.weight", &weight).unwrap();
    model.set("scores.bias", &bias).unwrap();
    model.set("slope.weight", &[0.0]).unwrap();
    let found = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1)).evaluate(&data).unwrap();
    assert_eq!(found.accuracy, Some(2.0 / 3.0));
}
