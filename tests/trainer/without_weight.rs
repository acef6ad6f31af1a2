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

network! { struct Normed: [1, 6, 6] -> [3] { Conv2d(4, 3) -> norm: BatchNorm -> Relu -> Flatten -> Dropout(0.3) -> Dense(3) } }
network! { struct Half: [6] -> [6] { Dense(6) -> BatchNorm(cumulative = true) -> Tanh } }
network! {
    struct Nested: (a: [6], b: [6]) -> [3] {
        let p = a -> first: Half * 2;
        let q = p -> second: Half;
        let r = b -> share(second);
        (q, r) -> Concat -> Dense(3)
    }
}

/// 21 samples, of which three have no weight and hold nothing.
fn with_gaps(inputs: &[usize], outputs: usize, seed: u64) -> [Dataset<Values>; 2] {
    let odd = |sample: usize| matches!(sample, 0 | 9 | 20);
    let draw = |seed: u64, width: usize| -> (Vec<f32>, usize) {
        let mut all = nn_tests::numbers::numbers(seed, 21 * width, 1.0);
        let rows = all.chunks_mut(width).enumerate().filter(|(sample, _)| odd(*sample));
        rows.for_each(|(_, row)| row.fill(f32::NAN));
        (all, width)
    };
    let whole = Dataset::values(draw(seed, inputs[0]), draw(seed + 1, outputs)).unwrap();
    let whole = inputs[1..].iter().fold(whole, |whole, width| whole.with_input(draw(seed + 2, *width)).unwrap());
    let weights: Vec<f32> = (0..21).map(|sample| if odd(sample) { 0.0 } else { 1.0 + (sample % 3) as f32 }).collect();
    let whole = whole.with_weights((weights, 1)).unwrap();
    let rest: Vec<usize> = (0..21).filter(|sample| !odd(*sample)).collect();
    let without = whole.select(&rest);
    [whole, without]
}

type Set<N> = for<'m> fn(Trainer<'m, N, Mse, Adam>) -> Trainer<'m, N, Mse, Adam>;

/// Whatever a trainer is set to, and in networks that look at whole batches, the bits are those without them.
#[test]
fn a_sample_without_weight_holds_anything() {
    fn all<N: Network>(inputs: &[usize])
    where
        Mse: Fits<N::Head>,
    {
        let settings: [(&str, Set<N>); 7] = [
            ("plain", |t| t),
            ("threads", |t| t.threads(3)),
            ("clipped, averaged", |t| t.clip(Clip::GlobalNorm(0.1)).ema(0.9)),
            ("accumulated", |t| t.accumulate(2).threads(2)),
            ("accumulated, clipped", |t| t.accumulate(3).clip(Clip::Value(1e-3))),
            ("swa", |t| t.swa(0)),
            ("scheduled", |t| t.schedule(Warmup::new(3))),
        ];
        for (what, set) in settings {
            let run = |which: usize| {
                let mut model = N::init(1);
                let mut trainer = set(Trainer::new(&mut model, Mse::new(), Adam::new(0.01)));
                for seed in 0..4 {
                    trainer.step(&with_gaps(inputs, 3, 10 * seed)[which]).unwrap();
                }
                let data = &with_gaps(inputs, 3, 90)[which];
                trainer.fit(data, Fit::epochs(2).batch(21 - 3 * which).shuffle(false)).unwrap();
                trainer.swa_epoch();
                let average = params(&trainer.swa_model(data, 100).unwrap());
                let loss = trainer.evaluate(data).unwrap().loss;
                ([params(&model), average].concat(), loss)
            };
            let ((found, loss), (truth, of_truth)) = (run(0), run(1));
            assert!(found.iter().all(|x| x.is_finite()), "{what}");
            assert!((loss - of_truth).abs() <= 1e-6 * of_truth, "{what}: {loss}, expected {of_truth}");
            assert!(found == truth, "{what}");
        }
    }
    all::<Normed>(&[36]);
    all::<Nested>(&[6, 6]);
}

network! { struct Words: (ids: [3], x: [2]) -> [4] { let e = ids -> Embedding(5, 2) -> Flatten; (e, x) -> Concat -> Dense(4) } }

#[test]
fn and_metrics_weights_of_classes_and_figures_leave_it_out() {
    let labels = [1u32, 255, 3, 0, 255, 2];
    let ids = [[0.0, 1.0, 2.0], [9.0, f32::NAN, -1.0], [3.0, 4.0, 0.0], [1.0; 3], [1e9; 3], [2.0; 3]];
    let x = [[0.5, 1.0], [f32::NAN, f32::INFINITY], [2.0, -1.0], [0.0, 3.0], [f32::NAN; 2], [1.0, 1.0]];
    let data = Dataset::classes(&ids, labels).unwrap().with_input(&x).unwrap();
    let data = data.with_weights(&[[1.0], [0.0], [2.0], [1.0], [0.0], [1.0]]).unwrap();
    let rest = data.select(&[0, 2, 3, 5]);
    // Figures of its inputs, and weights of its class.
    let scale = |data: &Dataset<Labels>| nn_runtime::data::Standardize::fit_inputs(data, [1]).unwrap();
    assert_eq!(scale(&data), scale(&rest));
    assert_eq!(data.balanced_weights(4).unwrap(), rest.balanced_weights(4).unwrap());
    let weighed = data.clone().class_weights(&[1.0, 2.0, 3.0, 4.0]).unwrap();
    assert_eq!(weighed.weights().unwrap().as_slice(), [2.0, 0.0, 8.0, 1.0, 0.0, 3.0]);
    let error = rest.clone().class_weights(&[1.0, 2.0]).unwrap_err().to_string();
    assert!(error.starts_with("sample 1, label: expected a class below 2, found 3"), "{error}");
    let targets = Dataset::values(&[[0.0]; 3], &[[1.0], [f32::NAN], [3.0]]).unwrap();
    let targets = targets.with_weights(&[[1.0], [0.0], [1.0]]).unwrap();
    let figures = nn_runtime::data::StandardizeTargets::fit(&targets).unwrap();
    assert_eq!((figures.mean(), figures.std()), (vec![2.0], vec![1.0]));
    // Training, metrics, and losses of each.
    let learnt = |data: &Dataset<Labels>| {
        let mut model = Words::init(3);
        Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1)).step(data).unwrap();
        params(&model)
    };
    assert_eq!(learnt(&data), learnt(&rest));
    let mut model = Words::init(3);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
    let metrics = || (Accuracy::new(), LogLoss::new(), F1::macro_avg());
    let (found, of_rest) =
        (trainer.evaluate_with(&data, metrics()).unwrap(), trainer.evaluate_with(&rest, metrics()).unwrap());
    assert_eq!(found.1, of_rest.1);
    assert!((found.0.loss - of_rest.0.loss).abs() < 1e-6 && found.0.accuracy == of_rest.0.accuracy);
    let each = trainer.losses(&data).unwrap();
    assert_eq!([each[1], each[4]], [0.0; 2]);
    assert_eq!([each[0], each[2], each[3], each[5]].to_vec(), trainer.losses(&rest).unwrap());
    // What counts is looked at as ever, and named by its own place.
    let wrong = data.clone().with_weights(&[[1.0], [0.5], [1.0], [1.0], [0.0], [1.0]]).unwrap();
    let error = trainer.step(&wrong).unwrap_err().to_string();
    assert!(error.starts_with("sample 1, input 0, element 1: expected a finite number, found NaN"), "{error}");
}

network! { struct Cell: [4, 2] -> [4, 1] { Gru(3) -> DensePerStep(1) } }

/// A state goes on through a window that nothing is learnt from, so that it has to be a number.
#[test]
fn a_window_of_a_sequence_has_to_be_there() {
    let data = |odd: f32| {
        let x: Vec<f32> = (0..16).map(|i| if i < 8 { odd } else { 0.1 * i as f32 }).collect();
        let data = Dataset::values((x, 8), (vec![0.5; 8], 4)).unwrap();
        data.with_weights(&[[0.0; 4], [1.0; 4]]).unwrap()
    };
    let step = |odd: f32, stateful: bool| {
        let mut model = Cell::init(0);
        let trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
        let mut trainer = if stateful { trainer.stateful() } else { trainer };
        trainer.step(&data(odd)).map_err(|error| error.to_string())
    };
    assert!(step(f32::NAN, false).is_ok() && step(0.3, true).is_ok());
    let error = step(f32::NAN, true).unwrap_err();
    assert!(error.starts_with("sample 0, input 0, element 0: expected a finite number, found NaN"), "{error}");
}
