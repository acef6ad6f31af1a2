//! Steps by an objective of one's own and by gradients from elsewhere, against the steps of a loss.

use nn_runtime::data::Samples;
use nn_runtime::prelude::*;
use nn_runtime::train::{NonFinite, TrainError};
use nn_runtime::{Gradients, Isa};

use super::params;

network! {
    /// Noise, statistics of the batch.
    struct Noisy: [6] -> [5] { Dense(7) -> BatchNorm -> Relu -> Dropout(0.5) -> Dense(5) }
}
network! {
    /// Gradients that are summed in groups of samples, on several threads.
    struct Image: [1, 8, 8] -> [5] {
        Conv2d(4, 3) -> Relu -> MaxPool2d(2) -> Dropout(0.25) -> Flatten -> Dense(9) -> Tanh -> Dense(5)
    }
}
network! { struct Steps: [3, 2] -> [5] { Gru(6) -> LastStep -> Dense(5) } }
network! {
    struct Two: (a: [2], b: [3]) -> (sum: [2], all: [4]) {
        let c = b -> Dense(2);
        let sum = (a, c) -> Sum;
        let all = sum -> Tanh -> Dense(4);
    }
}

/// Numbers that need rounding.
fn numbers(count: usize, salt: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 37 + salt * 11) % 101) as f32 / 40.0 - 1.2).collect()
}

/// `mean (y - t)²` over rows of `width` numbers and then over rows, in the order of operations of `Mse`.
fn mse(width: usize, y: &[f32], t: &[f32], dy: &mut [f32]) -> f64 {
    let scale = (1.0 / (y.len() / width) as f64) as f32 / width as f32;
    let mut loss = 0.0;
    for ((y, t), dy) in y.iter().zip(t).zip(dy) {
        let difference = y - t;
        *dy = (difference + difference) * scale;
        loss += f64::from(difference).powi(2);
    }
    loss / y.len() as f64
}

/// The same steps by `Mse` and by the formula written out: the same bits, and losses up to rounding.
macro_rules! same_steps {
    ($network:ty, $inputs:literal, |$t:ident| $set:expr) => {
        for (isa, threads) in Isa::available().flat_map(|isa| [(isa, 1), (isa, 3)]) {
            let (mut given, mut written) = (<$network>::init(5), <$network>::init(5));
            let $t = Trainer::new_on(&mut given, Mse::new(), Adam::new(1e-2), isa);
            let mut by_loss = $set.threads(threads);
            let $t = Trainer::new_on(&mut written, (), Adam::new(1e-2), isa);
            let mut by_hand = $set.threads(threads);
            for (step, samples) in [40, 3, 70, 40, 17].into_iter().enumerate() {
                let (x, t) = (numbers(samples * $inputs, step), numbers(samples * 5, step + 50));
                let data = Dataset::values((x.clone(), $inputs), (t.clone(), 5)).unwrap();
                let expected = by_loss.step(&data).unwrap();
                let found = by_hand.step_with(&[&x], |y, dy| mse(5, y[0], &t, dy[0])).unwrap();
                let near = (found - expected).abs() <= 1e-6 * expected;
                assert!(near, "{}, step {step}: {found} {expected}", isa.name());
            }
            drop((by_loss, by_hand));
            assert_eq!(params(&given), params(&written), "{}, {threads} threads", isa.name());
            assert_ne!(params(&given), params(&<$network>::init(5)));
        }
    };
}

#[test]
fn an_objective_written_by_hand_gives_the_bits_of_the_loss() {
    same_steps!(Noisy, 6, |t| t);
    same_steps!(Image, 64, |t| t);
    same_steps!(Steps, 6, |t| t);
}

#[test]
fn every_setting_holds_for_an_objective_of_ones_own() {
    same_steps!(Image, 64, |t| t.clip(Clip::GlobalNorm(0.05)).ema(0.9));
    same_steps!(Noisy, 6, |t| t.clip(Clip::Value(0.01)).schedule(Warmup::new(3)));
    same_steps!(Noisy, 6, |t| t.regularize("dense_1", Regularizer::L2(0.1)));
}

/// Two batches that make one step are one batch of all their samples.
#[test]
fn batches_of_an_objective_add_up() {
    let (x, t) = (numbers(12 * 6, 1), numbers(12 * 5, 2));
    let (mut parts, mut whole) = (Steps::init(1), Steps::init(1));
    let mut trainer = Trainer::new(&mut parts, (), Sgd::new(0.1)).accumulate(2);
    for samples in [0..8, 8..12] {
        let (x, t) = (&x[samples.start * 6..samples.end * 6], &t[samples.start * 5..samples.end * 5]);
        trainer.step_with(&[x], |y, dy| mse(5, y[0], t, dy[0])).unwrap();
    }
    Trainer::new(&mut whole, (), Sgd::new(0.1)).step_with(&[&x], |y, dy| mse(5, y[0], &t, dy[0])).unwrap();
    for tensor in whole.tensors() {
        let (a, b) = (parts.get(&tensor.name).unwrap(), whole.get(&tensor.name).unwrap());
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-6), "{}: {a:?} {b:?}", tensor.name);
    }
}

#[test]
fn several_inputs_and_outputs_are_several_slices() {
    let (a, b, t) = (numbers(5 * 2, 1), numbers(5 * 3, 2), [numbers(5 * 2, 3), numbers(5 * 4, 4)]);
    let targets = ((&t[0][..], 2).into_values().unwrap(), (&t[1][..], 4).into_values().unwrap());
    let data = Dataset::new((a.clone(), 2), targets).unwrap().with_input((b.clone(), 3)).unwrap();
    let (mut given, mut written) = (Two::init(1), Two::init(1));
    Trainer::new(&mut given, (Mse::new(), Mse::new()), Sgd::new(0.1)).step(&data).unwrap();
    let loss = Trainer::new(&mut written, (), Sgd::new(0.1)).step_with(&[&a, &b], |y, dy| {
        assert_eq!((y.len(), dy.len(), y[0].len(), dy[1].len()), (2, 2, 10, 20));
        assert!(dy.iter().all(|dy| dy.iter().all(|d| *d == 0.0)), "gradients begin with zeros");
        let [first, second] = dy else { unreachable!() };
        mse(2, y[0], &t[0], first) + mse(4, y[1], &t[1], second)
    });
    assert!(loss.unwrap() > 0.0);
    assert_eq!(params(&given), params(&written));
}

#[test]
fn what_is_not_finite_is_refused_with_nothing_changed() {
    let (x, t) = (numbers(4 * 6, 1), numbers(4 * 5, 2));
    let (mut refused, mut never) = (Noisy::init(3), Noisy::init(3));
    let mut trainer = Trainer::new(&mut refused, (), Adam::new(1e-2)).ema(0.5);
    let mut other = Trainer::new(&mut never, (), Adam::new(1e-2)).ema(0.5);
    for step in 1..4 {
        let error = trainer.step_with(&[&x], |_, _| f64::NAN).unwrap_err();
        assert!(matches!(&error, TrainError::NotFinite { step: at, found: NonFinite::Loss, .. } if *at == step));
        let error = trainer.step_with(&[&x], |_, dy| {
            dy[0][13] = f32::INFINITY;
            1.0
        });
        let text = error.unwrap_err().to_string();
        assert_eq!(
            text,
            format!(
                "step {step}: sample 2, output 0, element 3: expected a finite gradient from the objective, found NaN or \
                 infinity; the step was not taken\nhelp: see what the objective divides by and takes roots and logarithms of"
            )
        );
        let error = trainer.step_with(&[&x], |_, dy| {
            dy[0].fill(f32::MAX);
            1.0
        });
        assert!(matches!(error, Err(TrainError::NotFinite { found: NonFinite::Gradient(_), .. })));
        for trainer in [&mut trainer, &mut other] {
            trainer.step_with(&[&x], |y, dy| mse(5, y[0], &t, dy[0])).unwrap();
        }
        assert_eq!(params(trainer.model()), params(other.model()), "step {step}");
        assert_eq!(params(&trainer.ema_model()), params(&other.ema_model()), "step {step}");
    }
}

#[test]
fn slices_that_do_not_fit_are_told() {
    let mut model = Two::init(0);
    let mut trainer = Trainer::new(&mut model, (), Sgd::new(0.1));
    let mut told = |x: &[&[f32]], text: &str| {
        let error = trainer.step_with(x, |_, _| unreachable!("no pass has run")).unwrap_err();
        assert!(matches!(error, TrainError::Mismatch(_)), "{error}");
        assert!(error.to_string().contains(text), "{error}");
    };
    told(&[&[1.0, 2.0]], "expected 2 input slices, found 1");
    told(&[&[1.0, 2.0], &[1.0; 4]], "expected whole samples of [3], which is 3 numbers each, found 4 numbers");
    told(&[&[1.0, 2.0], &[1.0; 6]], "expected as many samples in every input, found 1 in the first and 2 in another");
    told(&[&[], &[]], "expected at least 1 sample, found none");
    told(
        &[&[1.0; 4], &[1.0, 1.0, 1.0, 1.0, f32::NAN, 1.0]],
        "sample 1, input 1, element 1: expected a finite number, found NaN",
    );
    let mut trainer = Trainer::new(&mut model, (), Sgd::new(-1.0));
    assert!(matches!(trainer.step_with(&[&[1.0; 2], &[1.0; 3]], |_, _| 0.0), Err(TrainError::Setting(_))));
}

#[test]
fn gradients_from_elsewhere_make_the_step_of_a_loss() {
    let (x, t) = (numbers(6 * 64, 1), numbers(6 * 5, 2));
    network! { struct Plain: [1, 8, 8] -> [5] { Conv2d(4, 3) -> Relu -> Flatten -> Dense(5) } }
    let (mut given, mut written) = (Plain::init(2), Plain::init(2));
    let mut by_loss = Trainer::new(&mut given, Mse::new(), Adam::new(1e-2)).clip(Clip::Norm(0.1));
    let mut by_hand = Trainer::new(&mut written, (), Adam::new(1e-2)).clip(Clip::Norm(0.1));
    for _ in 0..3 {
        by_loss.step(&Dataset::values((x.clone(), 64), (t.clone(), 5)).unwrap()).unwrap();
        let (mut y, mut dy) = (vec![0.0; 30], vec![0.0; 30]);
        by_hand.predict_into(&[&x], &mut [&mut y]).unwrap();
        let mut expected = vec![0.0; 30];
        by_hand.model().predictor(6).predict_into(&[&x], &mut [&mut expected]).unwrap();
        assert_eq!(y, expected);
        mse(5, &y, &t, &mut dy);
        let gradients = by_hand.model().gradients(&[&x], &[&dy]).unwrap();
        by_hand.apply(&gradients).unwrap();
    }
    for tensor in given.tensors() {
        let (a, b) = (given.get(&tensor.name).unwrap(), written.get(&tensor.name).unwrap());
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5), "{}", tensor.name);
    }
}

#[test]
fn gradients_that_do_not_fit_are_told() {
    let mut model = Steps::init(0);
    let good = model.gradients(&[&[0.5; 6]], &[&[1.0; 5]]).unwrap();
    let before = params(&model);
    let mut trainer = Trainer::new(&mut model, (), Adam::new(0.1));
    let mut told = |change: &dyn Fn(&mut Gradients), text: &str| {
        let mut bad = good.clone();
        change(&mut bad);
        let error = trainer.apply(&bad).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    };
    told(&|bad| bad.params[0].0 = "gru.weight".into(), "found `gru.weight`\nhelp: they are gru_1.weight_ih, ");
    told(&|bad| drop(bad.params.pop()), "learns, found none of `dense_1.bias`");
    told(
        &|bad| bad.params[4].1.truncate(29),
        "`dense_1.weight`: expected a gradient of 30 numbers for the shape [5, 6], found 29",
    );
    told(
        &|bad| bad.params[1].1[3] = f32::NAN,
        "step 1: expected a finite gradient of `gru_1.weight_hh`, found NaN or infinity; the step was not taken",
    );
    assert_eq!(params(trainer.model()), before);
    trainer.apply(&good).unwrap();
    assert_ne!(params(trainer.model()), before);
}
