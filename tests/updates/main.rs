//! What a trainer does with gradients beside the optimiser: schedules against PyTorch, clipping,
//! accumulation, averages and regularisers against their formulas. In: small networks; out: numbers compared,
//! and refusals in words.

mod accumulation;
mod fixed;
mod loss_and_limits;
mod refusals;
mod schedules;

use nn_runtime::data::{Values, digits};
use nn_runtime::optim::Optimizer;
use nn_runtime::prelude::*;
use nn_tests::numbers::numbers;

network! { struct Line: [3] -> [2] { line: Dense(2) } }
network! {
    // The hidden weight is longer than a chunk, so that it is cut; the statistics of the norm follow the
    // batches.
    struct Deep: [70] -> [3] {
        hidden: Dense(301) -> norm: BatchNorm -> Relu;
        middle: Dense(17) -> Tanh -> Dropout(0.2);
        last: Dense(3)
    }
}
network! {
    struct Small: [5] -> [2] { hidden: Dense(7) -> Tanh -> Prelu -> last: Dense(2) }
}
network! {
    struct Images: [1, 28, 28] -> [10] { conv: Conv2d(4, 5, stride = 3) -> Relu -> Flatten -> last: Dense(10) }
}

fn data(samples: usize, inputs: usize, outputs: usize) -> Dataset<Values> {
    let (x, y) = (numbers(1, samples * inputs, 1.0), numbers(2, samples * outputs, 1.0));
    Dataset::values((&x[..], inputs), (&y[..], outputs)).unwrap()
}

fn params<N: Network>(model: &Model<N>) -> Vec<f32> {
    model.tensors().iter().flat_map(|tensor| model.get(&tensor.name).unwrap()).collect()
}

fn learnt<N: Network>(model: &Model<N>) -> Vec<(String, Vec<f32>)> {
    let trained = model.tensors().into_iter().filter(|tensor| tensor.role == nn_runtime::Role::Trainable);
    trained.map(|tensor| (tensor.name.clone(), model.get(&tensor.name).unwrap())).collect()
}

/// The gradient of each learnt tensor, as a plain step of rate 1 goes it.
fn gradient<N: Network>(start: &Model<N>, after: &Model<N>) -> Vec<(String, Vec<f64>)> {
    let pairs = learnt(start).into_iter().zip(learnt(after));
    pairs
        .map(|((name, a), (_, b))| (name, a.iter().zip(&b).map(|(a, b)| f64::from(*a) - f64::from(*b)).collect()))
        .collect()
}

fn norm<'a>(x: impl IntoIterator<Item = &'a f64>) -> f64 {
    x.into_iter().map(|x| x * x).sum::<f64>().sqrt()
}

#[test]
fn the_newer_optimisers_learn() {
    let (train, test) = digits::draw(600, 1).split_every(5).unwrap();
    fn learn<O: Optimizer>(train: &Dataset<Labels>, test: &Dataset<Labels>, optimizer: O) -> f64 {
        let mut model = Images::init(1);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), optimizer);
        trainer.fit(train, Fit::epochs(6).batch(16)).unwrap();
        trainer.evaluate(test).unwrap().accuracy.unwrap()
    }
    let adam = learn(&train, &test, Adam::new(3e-3));
    for (name, accuracy) in [
        ("lamb", learn(&train, &test, Lamb::new(0.01))),
        ("muon", learn(&train, &test, Muon::new(0.02, AdamW::new(3e-3)))),
        ("amsgrad", learn(&train, &test, AdamW::new(3e-3).amsgrad(true))),
        ("radam", learn(&train, &test, RAdam::new(1e-2))),
        ("schedule free", learn(&train, &test, ScheduleFree::new(1e-2))),
        ("adamax", learn(&train, &test, Adamax::new(5e-3))),
        ("adadelta", learn(&train, &test, Adadelta::new(1.0))),
        ("nadam", learn(&train, &test, Nadam::new(5e-3))),
        ("lion", learn(&train, &test, Lion::new(2e-3))),
    ] {
        assert!(adam > 0.7 && accuracy > adam - 0.05, "{name}: {accuracy}, where adam has {adam}");
    }
}
