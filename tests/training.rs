//! Training as a user meets it: it learns, it is reproducible, and bad input is refused in words with nothing
//! changed.

use nn_runtime::data::{Labels, Values, digits};
use nn_runtime::prelude::*;

network! { struct Line: [2] -> [1] { line: Dense(1, init = Zeros) } }
network! { struct Dense128: [784] -> [10] { Dense(128) -> Relu -> Dense(10) -> Softmax } }
network! { struct Linear: [784] -> [10] { Dense(10) -> Softmax } }
network! { struct Noisy: [784] -> [10] { Dense(32) -> Relu -> Dropout(0.3) -> Dense(10) -> LogSoftmax } }
network! { struct Scores: [784] -> [10] { Dense(32) -> Relu -> Dense(10) } }
network! { struct Chances: [784] -> [10] { Dense(32) -> Relu -> Dense(10) -> Softmax } }
network! {
    /// So much for each sample that a batch goes through in micro-batches.
    struct Large: [1, 28, 28] -> [10] {
        Conv2d(16, 3) -> Relu -> Conv2d(12, 3, stride = 2) -> Tanh -> Flatten -> Dense(20) -> LayerNorm -> Dense(10)
    }
}
network! {
    struct Steps: [28, 28] -> [10] { DensePerStep(12) -> LayerNorm -> Tanh -> Flatten -> Dense(24) -> Gelu -> Dense(10) }
}
network! { struct Yes: [2] -> [1] { Dense(8) -> Tanh -> Dense(1) -> Sigmoid } }

fn params<N: Network>(model: &Model<N>) -> Vec<f32> {
    model.tensors().iter().flat_map(|tensor| model.get(&tensor.name).unwrap()).collect()
}

fn line() -> Dataset<Values> {
    Dataset::values(&[[1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 5.0]], &[[1.0], [2.0], [3.0], [4.0]]).unwrap()
}

#[test]
fn linear_regression_agrees_with_a_loop() {
    let mut model = Line::init(0);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.01));
    let (mut w, mut b) = ([0.0f64; 2], 0.0f64);
    let data = line();
    for _ in 0..1000 {
        trainer.step(&data).unwrap();
        let (mut dw, mut db) = ([0.0; 2], 0.0);
        for i in 0..4 {
            let x = data.input(0, i);
            let error = w[0] * f64::from(x[0]) + w[1] * f64::from(x[1]) + b - (i + 1) as f64;
            dw[0] += 2.0 / 4.0 * error * f64::from(x[0]);
            dw[1] += 2.0 / 4.0 * error * f64::from(x[1]);
            db += 2.0 / 4.0 * error;
        }
        w = [w[0] - 0.01 * dw[0], w[1] - 0.01 * dw[1]];
        b -= 0.01 * db;
    }
    let found = model.get("line.weight").unwrap();
    assert!((f64::from(found[0]) - w[0]).abs() < 1e-4 && (f64::from(found[1]) - w[1]).abs() < 1e-4, "{found:?} {w:?}");
    let [y] = *model.predictor(1).predict(&[5.0, 6.0]);
    assert!((y - 5.0).abs() < 0.05, "{y}");
}

/// What a batch does to the parameters is the mean of what its samples do alone, and its loss that of their
/// predictions, whether samples are taken in micro-batches, and parameters in chunks or whole tensors.
fn a_batch_agrees_with_its_samples_alone<N: Network>()
where
    Mse: Fits<N::Head>,
{
    const SAMPLES: usize = 100;
    let digits = digits::draw(SAMPLES, 1);
    let x = digits.inputs()[0].as_slice();
    let targets: Vec<f32> = (0..SAMPLES * 10).map(|i| (i * 7 % 13) as f32 / 13.0).collect();
    let data = Dataset::values((x, 784), (&targets[..], 10)).unwrap();
    let start = params(&N::init(2));
    // Two steps, the first of which changes nothing: the second must not find what the first has left behind.
    let step = |samples: &[usize], threads: usize, clip: Option<Clip>| -> Vec<f64> {
        let (mut model, data) = (N::init(2), data.select(samples));
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.0)).threads(threads);
        if let Some(clip) = clip {
            trainer = trainer.clip(clip);
        }
        trainer.step(&data).unwrap();
        *trainer.optimizer() = Sgd::new(0.25);
        trainer.step(&data).unwrap();
        params(&model).iter().zip(&start).map(|(p, start)| f64::from(p - start)).collect()
    };
    let mut mean = vec![0.0; start.len()];
    for sample in 0..SAMPLES {
        mean.iter_mut().zip(step(&[sample], 1, None)).for_each(|(mean, alone)| *mean += alone / SAMPLES as f64);
    }
    let all: Vec<usize> = (0..SAMPLES).collect();
    let scale = mean.iter().fold(0.0f64, |scale, change| scale.max(change.abs()));
    assert!(scale > 1e-3, "{scale}");
    for (threads, clip) in [(1, None), (3, None), (1, Some(Clip::Norm(1e6))), (2, Some(Clip::GlobalNorm(1e6)))] {
        for (i, (found, truth)) in step(&all, threads, clip).iter().zip(&mean).enumerate() {
            let off = (found - truth).abs();
            assert!(off < 1e-5 * scale.max(1.0), "{i}: {found} instead of {truth}, {threads} threads, {clip:?}");
        }
    }

    let mut model = N::init(2);
    let mut y = vec![0.0; SAMPLES * 10];
    model.predictor(SAMPLES).predict_into(&[x], &mut [&mut y]).unwrap();
    let truth = y.iter().zip(&targets).map(|(y, t)| f64::from(y - t).powi(2)).sum::<f64>() / targets.len() as f64;
    let found = Trainer::new(&mut model, Mse::new(), Sgd::new(1.0)).evaluate(&data).unwrap().loss;
    assert!((found - truth).abs() < 1e-6 * truth, "{found} instead of {truth}");
}

#[test]
fn a_batch_in_micro_batches_agrees_with_its_samples_alone() {
    a_batch_agrees_with_its_samples_alone::<Large>();
    a_batch_agrees_with_its_samples_alone::<Steps>();
    a_batch_agrees_with_its_samples_alone::<Scores>();
}

#[test]
fn a_dense_network_beats_a_linear_model_on_the_drawn_digits() {
    let (train, test) = digits::draw(5_000, 1).split_every(5).unwrap();
    fn accuracy<N: Network>(train: &Dataset<Labels>, test: &Dataset<Labels>) -> f64
    where
        CrossEntropy: Fits<N::Head>,
    {
        let mut model = N::init(1);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
        trainer.fit(train, Fit::epochs(5)).unwrap();
        trainer.evaluate(test).unwrap().accuracy.unwrap()
    }
    let (dense, linear) = (accuracy::<Dense128>(&train, &test), accuracy::<Linear>(&train, &test));
    assert!(dense > 0.93, "{dense}");
    assert!(linear < dense - 0.03, "linear {linear}, dense {dense}");
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let data = digits::draw(200, 1);
    let run = |init: u64, fit: u64| {
        let mut model = Noisy::init(init);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
        let history = trainer.fit(&data, Fit::epochs(2).batch(33).seed(fit)).unwrap();
        (params(&model), history.epochs.iter().map(|epoch| epoch.train).collect::<Vec<_>>())
    };
    assert_eq!(run(1, 2), run(1, 2));
    assert_ne!(run(1, 2).0, run(1, 3).0, "the seed of `fit` orders samples and draws noise");
    assert_ne!(run(1, 2).0, run(2, 2).0, "the seed of `init` draws parameters");
}

/// Scores, probabilities and their logarithms are three spellings of one model.
#[test]
fn heads_train_alike() {
    let data = digits::draw(100, 1);
    let mut scores = Scores::init(5);
    let mut chances = Chances::init(5);
    assert_eq!(params(&scores), params(&chances));
    let (loss, adam) = (CrossEntropy::new(), Adam::new(1e-2));
    Trainer::new(&mut scores, loss, adam).fit(&data, Fit::epochs(2).batch(20)).unwrap();
    Trainer::new(&mut chances, loss, adam).fit(&data, Fit::epochs(2).batch(20)).unwrap();
    assert_eq!(params(&scores), params(&chances));
    let image = data.input(0, 0).try_into().unwrap();
    let y = *chances.predictor(1).predict(image);
    assert!((y.iter().sum::<f32>() - 1.0).abs() < 1e-5, "a prediction goes through the softmax: {y:?}");
}

#[test]
fn binary_cross_entropy_learns_exclusive_or() {
    let data =
        Dataset::values(&[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], &[[0.0], [1.0], [1.0], [0.0]]).unwrap();
    let mut model = Yes::init(2);
    let mut trainer = Trainer::new(&mut model, BinaryCrossEntropy::new(), Adam::new(0.05));
    trainer.fit(&data, Fit::epochs(400).batch(4)).unwrap();
    assert_eq!(trainer.evaluate(&data).unwrap().accuracy, Some(1.0));
}

#[test]
fn a_short_last_batch_counts_by_its_samples() {
    let data = digits::draw(10, 1);
    let mut model = Chances::init(0);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.0));
    let whole = trainer.evaluate(&data).unwrap();
    let epoch = trainer.fit(&data, Fit::epochs(1).batch(4)).unwrap().epochs[0].clone();
    assert!((epoch.train.loss - whole.loss).abs() < 1e-6, "{} {}", epoch.train.loss, whole.loss);
    assert_eq!(epoch.train.samples, 10);
}

/// Every refusal: its words, and a model and a trainer that go on as if nothing had been asked.
#[test]
fn bad_input_is_refused_and_changes_nothing() {
    let good = digits::draw(20, 1);
    let mut model = Chances::init(0);
    let before = params(&model);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
    let mut refused = |data: &Dataset<Labels>, fit: Fit<Labels, _>, parts: &[&str]| {
        let error = trainer.fit(data, fit).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{error}\nlacks: {part}");
        }
    };

    let mut nan = good.clone();
    nan.input_mut(0)[784 * 7 + 3] = f32::NAN;
    refused(&nan, Fit::epochs(1), &["sample 7", "NaN"]);
    let mut infinite = good.clone();
    infinite.input_mut(0)[784 * 2] = f32::INFINITY;
    refused(&infinite, Fit::epochs(1), &["sample 2", "inf"]);
    refused(&good, Fit::epochs(1).validate(&nan), &["sample 7"]);
    refused(&good, Fit::epochs(1).batch(0), &["batch of at least 1", "found 0", "help: "]);
    refused(&good, Fit::epochs(0), &["at least 1 epoch", "help: "]);
    refused(&good.select(&[]), Fit::epochs(1), &["at least 1 sample", "found none"]);
    let far = Dataset::classes((&[0.0; 3 * 784][..], 784), [1u32, 10, 2]).unwrap();
    refused(&far, Fit::epochs(1), &["sample 1", "10", "help: "]);
    let narrow = Dataset::classes((&[0.0; 3 * 783][..], 783), [1u32, 1, 2]).unwrap();
    refused(&narrow, Fit::epochs(1), &["expected 784 numbers per sample", "found 783", "help: "]);
    let two = good.clone().with_input((&[0.0; 20][..], 1)).unwrap();
    refused(&two, Fit::epochs(1), &["expected 1 input", "found 2", "help: "]);
    assert_eq!(before, params(&model));

    let disagree = Dataset::classes((&[0.0; 2 * 784][..], 784), [1u32]).unwrap_err().to_string();
    assert!(disagree.contains('2') && disagree.contains('1'), "{disagree}");
    let values = Dataset::values((&[0.0; 4][..], 2), (&[0.5; 4][..], 2)).unwrap();
    let mut yes = Yes::init(0);
    let error = Trainer::new(&mut yes, Mse::new(), Sgd::new(0.1)).step(&values).unwrap_err().to_string();
    assert!(error.contains("expected 1") && error.contains("found 2"), "{error}");
}

#[test]
fn settings_out_of_range_are_refused() {
    let mut model = Line::init(0);
    for (bad, part) in
        [(Sgd::new(f64::NAN), "rate"), (Sgd::new(-1.0), "rate"), (Sgd::new(0.1).nesterov(true), "momentum")]
    {
        let error = Trainer::new(&mut model, Mse::new(), bad).step(&line()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let bad = Adam::new(0.1).betas(1.0, 0.9);
    let error = Trainer::new(&mut model, Mse::new(), bad).step(&line()).unwrap_err().to_string();
    assert!(error.contains("beta"), "{error}");
}

#[test]
fn predictions_come_in_batches_too() {
    use ndarray::{Array2, Array4};
    let data = digits::draw(21, 1);
    let model = Chances::init(4);
    let mut predictor = model.predictor(8);
    let flat = Array2::from_shape_vec((21, 784), data.inputs()[0].as_slice().to_vec()).unwrap();
    let all = predictor.predict_batch(flat.view()).unwrap();
    assert_eq!(all.dim(), (21, 10));
    for i in 0..21 {
        let one = predictor.predict(data.input(0, i).try_into().unwrap());
        assert_eq!(all.row(i).as_slice().unwrap(), one);
    }
    let error = predictor.predict_batch(Array4::<f32>::zeros((1, 1, 28, 28)).view()).unwrap_err().to_string();
    assert!(error.contains("expected an array of [samples, 784], found [1, 1, 28, 28]"), "{error}");
    let error = predictor.predict_into(&[&[0.0; 785]], &mut [&mut [0.0; 10]]).unwrap_err().to_string();
    assert!(error.contains("whole samples"), "{error}");
    // A view that is not contiguous is no other prediction.
    let columns = flat.t().as_standard_layout().into_owned();
    assert_eq!(predictor.predict_batch(columns.t()).unwrap(), all);
}

network! {
    struct Reader: [784] -> (class: [10], height: [1]) {
        let code = Dense(32) -> Relu;
        let class = code -> Dense(10) -> Softmax;
        let height = code -> Dense(1);
    }
}

/// A loss for each output: both are learnt at once, and each head is what its loss wants.
#[test]
fn several_outputs_have_several_losses() {
    let digits = digits::draw(600, 1);
    let heights: Vec<f32> = (0..600).map(|i| digits.input(0, i).iter().sum::<f32>() / 100.0).collect();
    let heights = nn_runtime::data::Samples::into_values((&heights[..], 1)).unwrap();
    let data = Dataset::new((digits.inputs()[0].as_slice(), 784), (digits.targets().clone(), heights)).unwrap();
    let mut model = Reader::init(1);
    let mut trainer = Trainer::new(&mut model, (CrossEntropy::new(), Mse::new()), Adam::new(2e-3));
    let before = trainer.evaluate(&data).unwrap();
    trainer.fit(&data, Fit::epochs(12)).unwrap();
    let after = trainer.evaluate(&data).unwrap();
    assert!(after.loss < 0.3 * before.loss && after.accuracy.unwrap() > 0.9, "{before} to {after}");
    let mut predictor = model.predictor(1);
    let (class, height) = predictor.predict(data.input(0, 3).try_into().unwrap());
    assert!((class.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    assert!((height[0] - data.targets().1.as_slice()[3]).abs() < 0.5);
}

network! {
    struct Slope: [1] -> [1] { line: Dense(1, init = Zeros) }
}

fn point() -> Dataset<Values> {
    Dataset::values(&[[1.0]], &[[1.0]]).unwrap()
}

#[test]
fn an_average_asked_for_late_begins_there() {
    let mut model = Slope::init(0);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.125));
    trainer.step(&point()).unwrap();
    let mut trainer = trainer.ema(0.5);
    assert_eq!(trainer.ema_model().get("line.weight").unwrap(), [0.25]);
    trainer.step(&point()).unwrap();
    assert_eq!(trainer.ema_model().get("line.weight").unwrap(), [0.375]);
    trainer.step(&point()).unwrap();
    assert_eq!(trainer.ema_model().get("line.weight").unwrap(), [0.40625]);
}

#[test]
fn settings_that_do_not_fit_are_refused_before_training() {
    fn refused(setting: impl Fn(Trainer<'_, Slope, Mse, Sgd>) -> Trainer<'_, Slope, Mse, Sgd>) -> String {
        let mut model = Slope::init(0);
        let error = setting(Trainer::new(&mut model, Mse::new(), Sgd::new(0.1))).step(&point()).unwrap_err();
        assert_eq!(model.get("line.weight").unwrap(), [0.0]);
        error.to_string()
    }
    assert!(refused(|trainer| trainer.threads(0)).contains("expected 1 to 256 threads, found 0\nhelp: "));
    assert!(refused(|trainer| trainer.threads(usize::MAX)).contains("expected 1 to 256 threads"));
    let other = refused(|mut trainer| {
        *trainer.optimizer() = Sgd::new(0.1).momentum(0.9);
        trainer
    });
    assert!(other.contains("expected an optimiser that remembers 0 numbers of each parameter"), "{other}");
    assert!(other.contains("found 1\nhelp: make a new `Trainer`"), "{other}");
}
