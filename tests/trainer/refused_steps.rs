//! A gradient or a new parameter that is not finite: the step is refused before anything changes, whatever
//! clips, averages or accumulates, and the tensor is named.

use std::sync::atomic::{AtomicUsize, Ordering};

use nn_runtime::data::Values;
use nn_runtime::prelude::*;
use nn_runtime::train::{NonFinite, TrainError};
use nn_runtime::{Isa, Layer, LayerContext, LayerSpec, Rule, Shape};

use super::params;

network! { struct Line: [1] -> [1] { line: Dense(1, init = Zeros) } }
network! {
    /// Several chunks of parameters: small tensors, and a matrix that is bounded by its inputs.
    struct Before: [40] -> [3] {
        first: Dense(300) -> Spike -> Relu -> wide: Dense(300) -> norm: LayerNorm -> Tanh -> last: Dense(3)
    }
}
network! {
    struct Behind: [40] -> [3] {
        first: Dense(300) -> Relu -> wide: Dense(300) -> Spike -> norm: LayerNorm -> Tanh -> last: Dense(3)
    }
}
network! {
    /// Gradients in partial sums.
    struct Plain: [1, 20, 20] -> [3] { first: Conv2d(4, 3) -> Spike -> Relu -> Flatten -> wide: Dense(3) }
}
network! {
    struct Images: [1, 20, 20] -> [3] {
        first: Conv2d(4, 3) -> Spike -> norm: BatchNorm -> Relu -> Flatten -> last: Dense(3, init = Zeros)
    }
}
network! { struct Statistics: [400] -> [3] { norm: BatchNorm -> last: Dense(3) } }
network! { struct Cells: [7, 4] -> [3] { first: Lstm(5) -> Spike -> Flatten -> last: Dense(3) } }

/// What spikes do: nothing, NaN, or gradients near the largest number.
static SPIKES: AtomicUsize = AtomicUsize::new(0);

/// Gives on what it is given, but for the gradient, as `SPIKES` says.
#[derive(Clone, Copy)]
struct Spike;

impl Spike {
    const fn new() -> Self {
        Spike
    }
    const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        LayerSpec::output(x).ok()
    }
}

impl Layer for Spike {
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
        match SPIKES.load(Ordering::Relaxed) {
            0 => {}
            1 => dx[dx.len() / 2] = f32::NAN,
            _ => dx.fill(3e38),
        }
    }
}

loss! { pub root(y, t) = sqrt(abs(y - t)) }

fn far() -> Dataset<Values> {
    Dataset::values(&[[3e38]], &[[10.0]]).unwrap()
}

fn refused<N: Network, L, O: Optimizer>(trainer: &mut Trainer<'_, N, L, O>, data: &Dataset<Values>) -> NonFinite
where
    L: Fits<N::Head> + nn_runtime::train::Objective<Values>,
{
    let before = (params(trainer.model()), params(&trainer.ema_model()), trainer.steps(), trainer.learning_rate());
    let error = trainer.step(data).unwrap_err();
    let after = (params(trainer.model()), params(&trainer.ema_model()), trainer.steps(), trainer.learning_rate());
    assert_eq!(before, after, "{error}");
    let text = error.to_string();
    let TrainError::NotFinite { found, step, .. } = error else { panic!("{text}") };
    assert!(text.starts_with(&format!("step {step}: expected ")) && text.contains("the step was not taken\nhelp: "));
    found
}

#[test]
fn a_finite_loss_with_a_gradient_that_is_not() {
    let here = Dataset::values(&[[1.0]], &[[0.0]]).unwrap();
    let weight = || NonFinite::Gradient("line.weight".into());
    for isa in Isa::available() {
        let mut model = Line::init(0);
        assert_eq!(refused(&mut Trainer::new_on(&mut model, Root::new(), Sgd::new(0.1), isa), &here), weight());
        assert_eq!(refused(&mut Trainer::new_on(&mut model, Mse::new(), Adam::new(0.1), isa), &far()), weight());
        for clip in [Clip::GlobalNorm(1.0), Clip::Norm(1.0), Clip::Value(1.0)] {
            let mut trainer = Trainer::new_on(&mut model, Mse::new(), Sgd::new(0.1), isa).clip(clip);
            assert_eq!(refused(&mut trainer, &far()), weight(), "{clip:?}");
            let mut trainer = Trainer::new_on(&mut model, Mse::new(), Lamb::new(0.1), isa).clip(clip).accumulate(2);
            assert_eq!(refused(&mut trainer, &far()), weight(), "{clip:?}");
        }
        assert_eq!(params(&model), [0.0, 0.0]);
    }
}

/// What a trainer remembers is as if the refused batch had never come, whatever it was set to.
fn goes_on<N: Network>(data: &Dataset<Values>, tensors: &[&str])
where
    Mse: Fits<N::Head>,
{
    let check = Check { data, tensors };
    check.all::<N, _>("sgd", || Sgd::new(1e-2).momentum(0.9), |t| t);
    check.all::<N, _>("adam", || Adam::new(1e-3), |t| t.ema(0.9));
    check.all::<N, _>("rmsprop", || RmsProp::new(1e-3).momentum(0.5), |t| t);
    check.all::<N, _>("muon", || Muon::new(1e-3, AdamW::new(1e-3)), |t| t);
    check.all::<N, _>("lion", || Lion::new(1e-4), |t| t.clip(Clip::Norm(1.0)));
    check.all::<N, _>("amsgrad", || AdamW::new(1e-3).amsgrad(true), |t| t);
    check.all::<N, _>("radam", || RAdam::new(1e-3), |t| t);
    check.all::<N, _>("schedule_free", || ScheduleFree::new(1e-3), |t| t);
    check.all::<N, _>("adamax", || Adamax::new(1e-3), |t| t);
    check.all::<N, _>("adadelta", || Adadelta::new(1.0), |t| t);
    check.all::<N, _>("centered", || RmsProp::new(1e-3).centered(true), |t| t);
    check.all::<N, _>("nadam", || Nadam::new(1e-3), |t| t.clip(Clip::GlobalNorm(0.5)).ema(0.5));
    check.all::<N, _>("adagrad", || Adagrad::new(1e-2), |t| t.accumulate(3).clip(Clip::Value(0.1)));
    check.all::<N, _>(
        "lamb",
        || Lamb::new(1e-3),
        |t| t.accumulate(2).ema(0.9).schedule(Exponential::new(0.9)).clip(Clip::GlobalNorm(0.1)),
    );
    check.all::<N, _>("own", || Own(1e-2), |t| t.ema(0.5));
}

struct Check<'a> {
    data: &'a Dataset<Values>,
    /// One of which has the gradient that is not finite.
    tensors: &'a [&'a str],
}

impl Check<'_> {
    fn all<N: Network, O: Optimizer>(
        &self,
        what: &str,
        optimizer: impl Fn() -> O,
        set: impl for<'m> Fn(Trainer<'m, N, Mse, O>) -> Trainer<'m, N, Mse, O>,
    ) where
        Mse: Fits<N::Head>,
    {
        for threads in [1, 3] {
            let run = |with: bool| {
                let mut model = N::init(1);
                let mut trainer = set(Trainer::new(&mut model, Mse::new(), optimizer()).threads(threads));
                for i in 0..6 {
                    for spikes in 1..=if with && i != 1 { 2 } else { 0 } {
                        SPIKES.store(spikes, Ordering::Relaxed);
                        let NonFinite::Gradient(tensor) = refused(&mut trainer, self.data) else { panic!("{what}") };
                        assert!(self.tensors.contains(&tensor.as_str()), "{what}: {tensor}");
                    }
                    SPIKES.store(0, Ordering::Relaxed);
                    trainer.step(self.data).unwrap();
                }
                let ema = params(&trainer.ema_model());
                (ema, params(&model))
            };
            assert!(run(false) == run(true), "{what}, {threads} threads");
        }
    }
}

/// An optimiser that gives no limit.
struct Own(f64);

impl Optimizer for Own {
    fn slots(&self) -> usize {
        1
    }
    fn update(&self, _: Isa, _: u64, params: &mut [f32], grads: &[f32], state: &mut [&mut [f32]]) {
        for ((p, g), s) in params.iter_mut().zip(grads).zip(&mut *state[0]) {
            *s = 0.5 * *s + g;
            *p -= self.0 as f32 * *s;
        }
    }
    fn learning_rate(&self) -> f64 {
        self.0
    }
    fn set_learning_rate(&mut self, rate: f64) {
        self.0 = rate;
    }
}

fn samples(samples: usize, inputs: usize) -> Dataset<Values> {
    let x: Vec<f32> = (0..samples * inputs).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect();
    let y: Vec<f32> = (0..samples * 3).map(|i| (i * 53 % 97) as f32 / 48.0 - 1.0).collect();
    Dataset::values((x, inputs), (y, 3)).unwrap()
}

#[test]
fn whatever_is_remembered_stays() {
    goes_on::<Before>(&samples(8, 40), &["first.weight", "first.bias"]);
    goes_on::<Behind>(&samples(8, 40), &["first.weight", "first.bias", "wide.weight", "wide.bias"]);
    goes_on::<Plain>(&samples(40, 400), &["first.weight", "first.bias"]);
    goes_on::<Images>(&samples(24, 400), &["first.weight", "first.bias"]);
    goes_on::<Cells>(&samples(6, 28), &["first.weight_ih", "first.weight_hh", "first.bias_ih", "first.bias_hh"]);
}

#[test]
fn new_parameters_that_are_not_finite_are_refused() {
    let data = Dataset::values(&[[2.0]], &[[3.0]]).unwrap();
    let mut model = Line::init(0);
    for clip in [None, Some(Clip::GlobalNorm(1e30)), Some(Clip::Value(1e30))] {
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(1e38)).ema(0.5);
        if let Some(clip) = clip {
            trainer = trainer.clip(clip);
        }
        assert_eq!(refused(&mut trainer, &data), NonFinite::Parameter("line.weight".into()));
        *trainer.optimizer() = Sgd::new(0.1);
        trainer.step(&data).unwrap();
        model = Line::init(0);
    }
    // Far from 1, but finite: taken.
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(1e36));
    trainer.step(&data).unwrap();
    assert!(params(&model).iter().all(|p| p.is_finite() && p.abs() > 1e36));
}

#[test]
fn statistics_that_overflow_are_refused() {
    let good = samples(8, 400);
    let mut bad = good.clone();
    bad.input_mut(0).iter_mut().for_each(|x| *x *= 1e30);
    let run = |with: bool| {
        let mut model = Statistics::init(1);
        let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-3));
        for _ in 0..3 {
            trainer.step(&good).unwrap();
            if with {
                let _ = refused(&mut trainer, &bad);
            }
        }
        params(&model)
    };
    assert_eq!(run(false), run(true));
}
