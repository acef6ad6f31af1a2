//! Metrics of whole data sets: what a trainer shows them, and what it refuses.

use nn_runtime::prelude::*;
use nn_runtime::train::TrainError;
use nn_tests::numbers::numbers;

network! { struct Three: [4] -> [3] { Dense(8) -> Tanh -> Dense(3) } }
network! { struct Sure: [4] -> [3] { Dense(8) -> Tanh -> Dense(3) -> Softmax } }
network! { struct Steps: [5, 4] -> [5, 3] { DensePerStep(8) -> Tanh -> DensePerStep(3) } }
network! {
    struct Both: [4] -> (class: [3], values: [2]) {
        let h = Dense(8) -> Tanh;
        let class = h -> Dense(3);
        let values = h -> Dense(2);
    }
}

const SAMPLES: usize = 600;

fn labels(len: usize) -> Vec<u32> {
    numbers(5, len, 1.0).iter().map(|x| ((x + 1.0) * 1.5) as u32).collect()
}

fn data() -> Dataset<Labels> {
    Dataset::classes((numbers(1, SAMPLES * 4, 1.0), 4), labels(SAMPLES)).unwrap()
}

/// The accuracy of a loss and of a metric are one, on any number of threads; what a softmax ends is as what
/// it does not.
#[test]
fn a_set_is_judged_in_the_pass_that_evaluates_it() {
    let data = data();
    let mut all = Vec::new();
    for threads in [1, 2, 3] {
        let mut model = Three::init(1);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1)).threads(threads);
        let metrics = (Accuracy::new(), LogLoss::new(), F1::macro_avg(), RocAuc::new());
        let (evaluation, values) = trainer.evaluate_with(&data, metrics).unwrap();
        assert_eq!(evaluation, trainer.evaluate(&data).unwrap());
        assert_eq!(evaluation.accuracy, Some(values.0));
        assert!((evaluation.loss - values.1).abs() < 1e-6, "{evaluation} {values:?}");
        all.push(values);
    }
    assert!(all.iter().all(|values| *values == all[0]), "{all:?}");
    let mut sure = Sure::init(1);
    let mut trainer = Trainer::new(&mut sure, CrossEntropy::new(), Sgd::new(0.1));
    let (_, values) = trainer.evaluate_with(&data, (Accuracy::new(), LogLoss::new(), F1::macro_avg())).unwrap();
    assert_eq!(values, (all[0].0, all[0].1, all[0].2));
}

#[test]
fn steps_are_rows_and_weights_leave_some_out() {
    let (len, steps) = (40, 5);
    let x = numbers(1, len * steps * 4, 1.0);
    let targets = Labels::per_step(labels(len * steps), steps).unwrap();
    let weights: Vec<f32> = numbers(9, len * steps, 1.0).iter().map(|x| (x + 1.0).round()).collect();
    let data = Dataset::new((x, steps * 4), targets).unwrap().with_weights((weights.clone(), steps)).unwrap();
    let mut model = Steps::init(1);
    let mut y = vec![0.0; len * steps * 3];
    model.predictor(7).predict_into(&[data.inputs()[0].as_slice()], &mut [&mut y]).unwrap();
    let rows = y.chunks(3).zip(data.targets().as_slice()).zip(&weights);
    let (mut right, mut all) = (0.0, 0.0);
    for ((y, &label), &weight) in rows {
        let best = (0..3).fold(0, |best, k| if y[k] > y[best] { k } else { best });
        right += f64::from(weight) * f64::from(u8::from(best == label as usize));
        all += f64::from(weight);
    }
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
    let (_, truth) = trainer.evaluate_with(&data, Accuracy::new()).unwrap();
    assert!((truth - right / all).abs() < 1e-12);
}

/// The mean of the losses of all samples is that of the set.
#[test]
fn each_sample_has_a_loss() {
    let data = data();
    let mut model = Three::init(1);
    let mut trainer =
        Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1)).regularize("dense_1", Regularizer::L2(0.1));
    let losses = trainer.losses(&data).unwrap();
    assert_eq!(losses.len(), SAMPLES);
    for i in [0, 255, 256, 599] {
        let alone = data.select(&[i]);
        let regularization = trainer.evaluate(&alone).unwrap().loss - losses[i];
        assert!(regularization > 0.0);
        assert!((trainer.losses(&alone).unwrap()[0] - losses[i]).abs() < 1e-6);
    }
    let weights: Vec<f32> = (0..SAMPLES).map(|i| (i % 3) as f32).collect();
    let mean = losses.iter().zip(&weights).map(|(loss, &weight)| loss * f64::from(weight)).sum::<f64>()
        / weights.iter().map(|&weight| f64::from(weight)).sum::<f64>();
    let weighted = data.with_weights((weights, 1)).unwrap();
    let weighted_losses = trainer.losses(&weighted).unwrap();
    assert_eq!((weighted_losses[0], weighted_losses[1]), (0.0, losses[1]));
    let mut model = Three::init(1);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
    assert!((trainer.evaluate(&weighted).unwrap().loss - mean).abs() < 1e-6);
}

#[test]
fn several_outputs_have_metrics_each() {
    let x = numbers(1, SAMPLES * 4, 1.0);
    let values = Dataset::values((x.clone(), 4), (numbers(7, SAMPLES * 2, 1.0), 2)).unwrap();
    let targets = (Labels::new(labels(SAMPLES)).unwrap(), values.targets().clone());
    let data = Dataset::new((x, 4), targets).unwrap();
    let mut model = Both::init(1);
    let mut trainer = Trainer::new(&mut model, (CrossEntropy::new(), Mse::new()), Sgd::new(0.1));
    let metrics = ((Accuracy::new(), F1::per_class()), RootMeanSquaredError::new());
    let (evaluation, ((accuracy, f1), rmse)) = trainer.evaluate_with(&data, metrics).unwrap();
    assert_eq!((Some(accuracy), f1.len()), (evaluation.accuracy, 3));
    assert!(rmse > 0.1);
    let (_, ((), again)) = trainer.evaluate_with(&data, ((), RootMeanSquaredError::new())).unwrap();
    assert_eq!(again, rmse);
}

#[test]
fn what_does_not_fit_is_refused_before_a_pass() {
    let data = data();
    let mut model = Three::init(1);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
    let text = |error: TrainError| {
        assert!(matches!(error, TrainError::Mismatch(_)));
        error.to_string()
    };
    let error = text(trainer.evaluate_with(&data, F1::of_class(3)).unwrap_err());
    assert_eq!(
        error,
        "`f1`: expected a class below 3, as the output has that many numbers, found 3\nhelp: classes count from 0"
    );
    let error = text(trainer.evaluate_with(&data, (Accuracy::new(), TopK::new(0))).unwrap_err());
    assert_eq!(error, "`top_0`: expected at least the 1 highest, found 0\nhelp: `TopK::new(5)`");

    network! { struct Yes: [4] -> [2] { Dense(2) } }
    let yes = Dataset::values((numbers(1, 40, 1.0), 4), (vec![1.0; 20], 2)).unwrap();
    let mut model = Yes::init(1);
    let mut trainer = Trainer::new(&mut model, BinaryCrossEntropy::new(), Sgd::new(0.1));
    let error = text(trainer.evaluate_with(&yes, Accuracy::new().threshold(1.0)).unwrap_err());
    assert_eq!(error, "`accuracy`: expected a threshold between 0 and 1, found 1\nhelp: 0.5 is usual");
    let error = text(trainer.evaluate_with(&yes, ConfusionMatrix::new()).unwrap_err());
    assert!(
        error.starts_with("`confusion_matrix`: expected rows of one yes or no, or of classes, found 2 values"),
        "{error}"
    );

    let short = Labels::per_step([1u32, 2, 1, 2], 2).unwrap();
    let words = Dataset::new((numbers(1, 2 * 20, 1.0), 20), short).unwrap();
    let mut model = Steps::init(1);
    let mut trainer = Trainer::new(&mut model, Ctc::new(), Sgd::new(0.1));
    let error = text(trainer.evaluate_with(&words, Accuracy::new()).unwrap_err());
    assert!(
        error.starts_with("`accuracy`: expected a target for each row of the output, found a loss that reads whole"),
        "{error}"
    );
}

#[test]
fn sets_are_predicted_whole() {
    let data = data();
    let model = Three::init(3);
    let mut predictor = model.predictor(64);
    let all = predictor.predict_all(&data).unwrap();
    let classes = predictor.classes(&data).unwrap();
    assert_eq!((all.len(), all.width(), classes.len()), (SAMPLES, 3, SAMPLES));
    for (i, &class) in classes.iter().enumerate() {
        let x: &[f32; 4] = data.input(0, i).try_into().unwrap();
        assert_eq!(predictor.class(x), class as usize);
        assert_eq!(*predictor.predict(x), all.sample(i));
    }
    assert!(predictor.predict_all(&data.select(&[])).unwrap().is_empty());

    let narrow = Dataset::classes((vec![0.0; 6], 3), [0, 1]).unwrap();
    let error = predictor.predict_all(&narrow).unwrap_err().to_string();
    assert!(error.starts_with("expected 4 numbers per sample for input 0, which is [4], found 3"), "{error}");
    let twice = narrow.with_input((vec![0.0; 6], 3)).unwrap();
    let error = predictor.classes(&twice).unwrap_err().to_string();
    assert!(error.starts_with("expected 1 inputs per sample, as `Three` declares, found 2"), "{error}");
    let error = Both::init(0).predictor(1).predict_all(&data).unwrap_err().to_string();
    assert!(error.starts_with("expected a network of one output, found 2"), "{error}");

    network! { struct Value: [4] -> [1] { Dense(1) } }
    let error = Value::init(0).predictor(1).classes(&data).unwrap_err().to_string();
    assert!(error.starts_with("expected rows of 2 classes or more, found 1 number a row"), "{error}");
    let steps = Dataset::classes((numbers(1, 2 * 20, 1.0), 20), [0, 0]).unwrap();
    assert_eq!(Steps::init(0).predictor(1).classes(&steps).unwrap().len(), 10, "a class a step");
}
