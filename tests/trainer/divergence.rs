//! What diverges is told, and the best model so far is put back: with its loss, its history, and all that
//! belongs to it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use nn_runtime::prelude::*;
use nn_runtime::train::schedule::Schedule;
use nn_runtime::train::{NonFinite, TrainError};
use nn_runtime::{Layer, LayerContext, LayerSpec, Rule, Shape};

use super::params;

network! { struct Line: [1] -> [1] { line: Dense(1) } }

fn line() -> Dataset<Values> {
    Dataset::values(&[[0.0], [1.0], [2.0], [3.0]], &[[1.0], [3.0], [5.0], [7.0]]).unwrap()
}

/// A rate that explodes after so many steps.
#[derive(Clone)]
struct Explodes(u64);

impl Schedule for Explodes {
    fn rate(&self, base: f64, done: u64) -> f64 {
        if done < self.0 { base } else { base * 1e3 }
    }
}

#[test]
fn what_was_better_before_training_is_put_back() {
    let mut model = Line::init(0);
    let before = params(&model);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.3));
    let start = trainer.evaluate(&line()).unwrap().loss;
    let error = trainer.fit(&line(), Fit::epochs(200).batch(4)).unwrap_err();
    let text = error.to_string();
    let TrainError::Diverged { epoch, kept, loss, history, found, .. } = error else { panic!("{text}") };
    assert_eq!((kept, loss), (0, start));
    assert_eq!(history.epochs.len(), epoch - 1);
    assert!(history.epochs.last().unwrap().train.loss > 1e20);
    assert!(!matches!(found, NonFinite::Validation));
    assert!(text.contains("the parameters are those training began with, with a loss of"), "{text}");
    assert_eq!(trainer.evaluate(&line()).unwrap().loss, start);
    assert_eq!(before, params(&model));
}

#[test]
fn the_best_epoch_is_put_back_with_its_loss() {
    for (validated, batch, batches) in [(false, 4, 1), (false, 2, 1), (false, 1, 2), (true, 4, 1), (true, 1, 3)] {
        let data = line();
        let fit = |epochs| {
            let fit = Fit::epochs(epochs).batch(batch);
            if validated { fit.validate(&data) } else { fit }
        };
        let steps = 40 * data.len().div_ceil(batch).div_ceil(batches) as u64;
        let mut model = Line::init(0);
        let make = |model| {
            Trainer::new(model, Mse::new(), Sgd::new(0.05)).ema(0.5).accumulate(batches).schedule(Explodes(steps))
        };
        let mut trainer = make(&mut model);
        let error = trainer.fit(&data, fit(400)).unwrap_err();
        let TrainError::Diverged { kept, loss, history, .. } = error else { panic!("{error}") };
        assert!((38..=40).contains(&kept), "{kept}");
        let (rate, ema) = (trainer.learning_rate(), params(&trainer.ema_model()));
        assert_eq!(trainer.evaluate(&data).unwrap().loss, loss);
        let losses = history.epochs.iter().map(|epoch| epoch.validation.unwrap_or(epoch.train).loss);
        // The mean of several batches is not the loss of what any of them found.
        let allowed = if validated || batch == 4 { 1.0 } else { 2.0 };
        assert!(loss <= allowed * losses.fold(f64::INFINITY, f64::min), "{loss}: the best there was");
        // It is what so many epochs give, with all that belongs to it.
        let mut again = Line::init(0);
        let mut trainer = make(&mut again);
        trainer.fit(&data, fit(kept)).unwrap();
        assert_eq!((rate, ema), (trainer.learning_rate(), params(&trainer.ema_model())));
        assert_eq!(params(&model), params(&again));
    }
}

#[test]
fn the_last_step_may_not_destroy_the_model() {
    for (rate, validated) in [(1e30, false), (1e18, false), (1e18, true), (1e25, true)] {
        let data = line();
        let mut model = Line::init(0);
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(rate));
        let fit = Fit::epochs(1).batch(4);
        let fit = if validated { fit.validate(&data) } else { fit };
        match trainer.fit(&data, fit) {
            Err(TrainError::Diverged { kept: 0, epoch: 1, .. }) => {
                assert_eq!(params(&model), params(&Line::init(0)), "{rate}");
            }
            Err(error) => panic!("{error}"),
            Ok(_) => {
                let loss = trainer.evaluate(&data).unwrap().loss;
                assert!(loss.is_finite(), "{rate}: a destroyed model was Ok");
            }
        }
    }
}

/// Panics at the third call.
#[derive(Clone, Copy)]
struct Panics;

static CALLS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

impl Panics {
    const fn new() -> Self {
        Panics
    }
    const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        LayerSpec::output(x).param("weight", Shape::of([1]), Zeros).ok()
    }
}

impl Layer for Panics {
    fn forward(&self, _: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        y.copy_from_slice(x);
    }
    fn backward_input(
        &self,
        _: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        dx.copy_from_slice(dy);
    }
    fn backward_params(
        &self,
        _: &mut nn_runtime::ReadContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        _: nn_runtime::ParamGrad,
    ) {
        assert!(CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 2, "a layer of one's own");
    }
}

/// An optimiser that panics while its rate is the schedule's.
#[derive(Clone)]
struct Falls {
    rate: f64,
}

impl Optimizer for Falls {
    fn slots(&self) -> usize {
        0
    }
    fn update(&self, _: nn_runtime::Isa, step: u64, _: &mut [f32], _: &[f32], _: &mut [&mut [f32]]) {
        assert!(step < 3, "an optimiser of one's own");
    }
    fn learning_rate(&self) -> f64 {
        self.rate
    }
    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = rate;
    }
}

network! { struct Panicking: [1] -> [1] { Dense(1) -> Panics } }

#[test]
fn a_panic_leaves_the_rate_as_it_was() {
    let data = line();
    let mut model = Panicking::init(0);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.5)).schedule(Exponential::new(0.1));
    let mut ended = || catch_unwind(AssertUnwindSafe(|| trainer.step(&data).is_ok())).is_ok();
    while ended() {}
    assert_eq!(trainer.optimizer().learning_rate(), 0.5);

    let mut model = Line::init(0);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Falls { rate: 0.5 }).schedule(Exponential::new(0.1));
    let mut ended = || catch_unwind(AssertUnwindSafe(|| trainer.step(&data).is_ok())).is_ok();
    while ended() {}
    assert_eq!(trainer.optimizer().learning_rate(), 0.5);
}
