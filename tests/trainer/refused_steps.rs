//! A gradient or a new parameter that is not finite: the step is refused before anything changes, whatever
//! clips, averages or accumulates, and the tensor is named.

use nn_runtime::Isa;
use nn_runtime::data::Values;
use nn_runtime::prelude::*;
use nn_runtime::train::{NonFinite, TrainError};

use super::params;

network! { struct Line: [1] -> [1] { line: Dense(1, init = Zeros) } }
network! {
    /// Several chunks of parameters: small tensors, and a matrix that is bounded by its inputs.
    struct Deep: [40] -> [3] {
        first: Dense(300) -> Relu -> wide: Dense(300) -> norm: LayerNorm -> Tanh -> last: Dense(3, init = Zeros)
    }
}
network! {
    struct Images: [1, 20, 20] -> [3] {
        conv: Conv2d(4, 3) -> norm: BatchNorm -> Relu -> Flatten -> last: Dense(3, init = Zeros)
    }
}
network! { struct Cells: [7, 4] -> [3] { cells: Lstm(5, last = true) -> last: Dense(3) } }

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
fn goes_on<N: Network>(good: &Dataset<Values>, bad: &Dataset<Values>, tensor: &str)
where
    Mse: Fits<N::Head>,
{
    fn check<N: Network, O: Optimizer>(
        what: &str,
        (good, bad, tensor): (&Dataset<Values>, &Dataset<Values>, &str),
        optimizer: impl Fn() -> O,
        set: impl for<'m> Fn(Trainer<'m, N, Mse, O>) -> Trainer<'m, N, Mse, O>,
    ) where
        Mse: Fits<N::Head>,
    {
        for threads in [1, 3] {
            let run = |with: bool| {
                let mut model = N::init(1);
                let mut trainer = set(Trainer::new(&mut model, Mse::new(), optimizer()).threads(threads));
                for i in 0..5 {
                    if with && i > 0 {
                        let found = refused(&mut trainer, bad);
                        assert_eq!(found, NonFinite::Gradient(tensor.into()), "{what}");
                    }
                    trainer.step(good).unwrap();
                }
                let ema = params(&trainer.ema_model());
                (ema, params(&model))
            };
            assert!(run(false) == run(true), "{what}, {threads} threads");
        }
    }
    let case = (good, bad, tensor);
    check::<N, _>("sgd", case, || Sgd::new(1e-2).momentum(0.9), |t| t);
    check::<N, _>("adam", case, || Adam::new(1e-3), |t| t.ema(0.9));
    check::<N, _>("rmsprop", case, || RmsProp::new(1e-3).momentum(0.5), |t| t);
    check::<N, _>("muon", case, || Muon::new(1e-3, AdamW::new(1e-3)), |t| t);
    check::<N, _>("lion", case, || Lion::new(1e-4), |t| t.clip(Clip::Norm(1.0)));
    check::<N, _>("nadam", case, || Nadam::new(1e-3), |t| t.clip(Clip::GlobalNorm(0.5)).ema(0.5));
    check::<N, _>("adagrad", case, || Adagrad::new(1e-2), |t| t.accumulate(3).clip(Clip::Value(0.1)));
    check::<N, _>("lamb", case, || Lamb::new(1e-3), |t| {
        t.accumulate(2).ema(0.9).schedule(Exponential::new(0.9)).clip(Clip::GlobalNorm(0.1))
    });
    check::<N, _>("own", case, || Own(1e-2), |t| t.ema(0.5));
}

/// An optimiser that gives no limit.
struct Own(f64);

impl Optimizer for Own {
    fn states(&self) -> usize {
        1
    }
    fn update(&self, _: Isa, _: u64, params: &mut [f32], grads: &[f32], state: &mut [&mut [f32]]) {
        for ((p, g), s) in params.iter_mut().zip(grads).zip(&mut *state[0]) {
            *s = 0.5 * *s + g;
            *p -= self.0 as f32 * *s;
        }
    }
    fn rate(&self) -> f64 {
        self.0
    }
    fn set_rate(&mut self, rate: f64) {
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
    // The last layer begins with zeros and its inputs are bounded: what overflows is the gradient of the
    // first matrix, which numbers of 3e38 are multiplied into, after layers behind it have theirs.
    let mut bad = samples(8, 40);
    bad.input_mut(0)[5] = 3e38;
    bad.input_mut(0)[45] = -3e38;
    goes_on_unless_loss::<Deep>(&samples(8, 40), &bad);
    goes_on::<Cells>(&samples(6, 28), &sharp(&samples(6, 28), 1e38), "last.weight");
}

/// Targets so far away that gradients overflow where the loss, a sum in double precision, does not.
fn sharp(data: &Dataset<Values>, far: f32) -> Dataset<Values> {
    let targets: Vec<f32> = data.targets().as_slice().iter().map(|t| t.signum() * far).collect();
    let mut far = Dataset::values((data.inputs()[0].as_slice(), data.inputs()[0].width()), (targets, 3)).unwrap();
    far.input_mut(0).iter_mut().for_each(|x| *x *= 1.0);
    far
}

fn goes_on_unless_loss<N: Network>(good: &Dataset<Values>, bad: &Dataset<Values>)
where
    Mse: Fits<N::Head>,
{
    let mut model = N::init(1);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-3));
    trainer.step(good).unwrap();
    let _ = refused(&mut trainer, bad);
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
        let mut model = Images::init(1);
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
