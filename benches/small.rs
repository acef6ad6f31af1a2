//! Calls of the smallest networks, by the ids of the workload table: one prediction, one step. In: an id;
//! out: what makes the call once, everything it needs being there. `networks` times them, `calls` counts
//! their instructions.

use std::hint::black_box;

use nn_runtime::data::{Targets, Values};
use nn_runtime::losses::Fits;
use nn_runtime::prelude::*;
use nn_runtime::train::Objective;

use crate::networks::{Linreg, Lstm1, Mlp10, Mnist128};
use crate::{numbered, signal};

network! {
    /// A controller: 4-32-32-2.
    pub struct Tiny: [4] -> [2] { Dense(32) -> Tanh -> Dense(32) -> Tanh -> Dense(2) }
}
network! {
    /// A robot's policy: 48-256-128-64-12.
    pub struct Policy: [48] -> [12] { Dense(256) -> Elu -> Dense(128) -> Elu -> Dense(64) -> Elu -> Dense(12) }
}
network! {
    /// The first network of SimpleChains.jl's README: 24-8-2.
    pub struct Sc24: [24] -> [2] { Dense(8) -> Tanh -> Dropout(0.2) -> Dense(2, bias = false) }
}
network! {
    /// The second one: 4-32-16-4.
    pub struct Sc4: [4] -> [4] { Dense(32) -> Tanh -> Dense(16) -> Tanh -> Dense(4) }
}

/// All of them; those of `plain` are loops written by hand, to compare with.
pub const IDS: [&str; 11] = [
    "predict/plain-tiny/1",
    "predict/tiny/1",
    "predict/sc24/1",
    "predict/policy/1",
    "predict/mlp10/1",
    "predict/mnist128/1",
    "predict/lstm/1",
    "step/linreg/4",
    "step/sc24/200",
    "step/sc4/10000",
    "step/mlp10/resident",
];

/// What makes the call.
///
/// # Panics
/// There is no such id.
pub fn call(id: &str) -> Box<dyn FnMut()> {
    match id {
        "predict/plain-tiny/1" => plain_tiny(),
        "predict/tiny/1" => predict::<Tiny, 4, 2>(),
        "predict/sc24/1" => predict::<Sc24, 24, 2>(),
        "predict/policy/1" => predict::<Policy, 48, 12>(),
        "predict/mlp10/1" => predict::<Mlp10, 784, 10>(),
        "predict/mnist128/1" => predict::<Mnist128, 784, 10>(),
        "predict/lstm/1" => predict::<Lstm1, 64, 64>(),
        "step/linreg/4" => linreg(),
        "step/sc24/200" => step::<Sc24, _, _>(points(24, 2, 200), Mse::new(), Adam::new(1e-3)),
        "step/sc4/10000" => step::<Sc4, _, _>(points(4, 4, 10_000), Mse::new(), Adam::new(1e-3)),
        "step/mlp10/resident" => step::<Mlp10, _, _>(numbered(32), CrossEntropy::new(), Adam::new(1e-3)),
        _ => panic!("expected one of {}, found `{id}`", IDS.join(", ")),
    }
}

/// A prediction of one sample after the other, of numbers that are all alike in size.
fn predict<N, const INPUTS: usize, const OUTPUTS: usize>() -> Box<dyn FnMut()>
where
    N: for<'a> Network<Input<'a> = &'a [f32; INPUTS], Output<'a> = &'a [f32; OUTPUTS]>,
{
    let model: &'static Model<N> = Box::leak(Box::new(N::init(0)));
    let mut predictor = model.predictor(1);
    let samples: Vec<[f32; INPUTS]> = samples();
    let mut at = 0;
    Box::new(move || {
        at = (at + 1) % samples.len();
        black_box(predictor.predict(black_box(&samples[at])));
    })
}

fn samples<const INPUTS: usize>() -> Vec<[f32; INPUTS]> {
    (0..64).map(|i| std::array::from_fn(|k| ((i * 31 + k * 17) % 97) as f32 / 48.0 - 1.0)).collect()
}

fn step<N, T, L>(data: Dataset<T>, loss: L, optimizer: impl Optimizer + 'static) -> Box<dyn FnMut()>
where
    N: Network,
    T: Targets + 'static,
    L: Fits<N::Head> + Objective<T> + 'static,
{
    let model: &'static mut Model<N> = Box::leak(Box::new(N::init(0)));
    let mut trainer = Trainer::new(model, loss, optimizer).threads(1);
    Box::new(move || {
        black_box(trainer.step(&data).expect("it can be learnt"));
    })
}

/// Gradient descent on four samples.
fn linreg() -> Box<dyn FnMut()> {
    let x = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let y: Vec<f32> = x.chunks(2).map(|x| 2.0 * x[0] - 3.0 * x[1] + 0.5).collect();
    let data = Dataset::values((x.to_vec(), 2), (y, 1)).expect("four samples");
    step::<Linreg, _, _>(data, Mse::new(), Sgd::new(0.1))
}

/// Points, and a smooth function of them.
fn points(inputs: usize, outputs: usize, samples: usize) -> Dataset<Values> {
    let x = signal(1).inputs()[0].as_slice().iter().cycle().copied().take(samples * inputs).collect::<Vec<f32>>();
    let y = x
        .chunks(inputs)
        .flat_map(|x| (0..outputs).map(move |j| (x[j] + 2.0 * x[(j + 1) % inputs]).sin()))
        .collect::<Vec<f32>>();
    Dataset::values((x, inputs), (y, outputs)).expect("whole points")
}

/// The same network as [`Tiny`], as one would write it without a library: arrays, loops, and a fraction for
/// tanh, compiled as the rest of the program.
fn plain_tiny() -> Box<dyn FnMut()> {
    struct Layers {
        one: [[f32; 32]; 4],
        two: [[f32; 32]; 32],
        three: [[f32; 2]; 32],
    }
    fn dense<const I: usize, const O: usize>(x: &[f32; I], w: &[[f32; O]; I]) -> [f32; O] {
        let mut y = [0.0; O];
        for (x, w) in x.iter().zip(w) {
            for (y, w) in y.iter_mut().zip(w) {
                *y += x * w;
            }
        }
        y
    }
    /// Lambert's fraction, cut off where it is 1.
    fn tanh(x: f32) -> f32 {
        let (x, square) = (x.clamp(-4.97, 4.97), x * x);
        x * (135_135.0 + square * (17_325.0 + square * (378.0 + square)))
            / (135_135.0 + square * (62_370.0 + square * (3_150.0 + square * 28.0)))
    }
    #[inline(never)]
    fn run(layers: &Layers, x: &[f32; 4]) -> [f32; 2] {
        let a = dense(x, &layers.one).map(tanh);
        let b = dense(&a, &layers.two).map(tanh);
        dense(&b, &layers.three)
    }
    let number = |i: usize, j: usize| ((i * 37 + j * 11) % 19) as f32 / 38.0 - 0.25;
    let layers = Layers {
        one: std::array::from_fn(|i| std::array::from_fn(|j| number(i, j))),
        two: std::array::from_fn(|i| std::array::from_fn(|j| number(i, j))),
        three: std::array::from_fn(|i| std::array::from_fn(|j| number(i, j))),
    };
    let samples: Vec<[f32; 4]> = samples();
    let mut at = 0;
    Box::new(move || {
        at = (at + 1) % samples.len();
        black_box(run(black_box(&layers), black_box(&samples[at])));
    })
}
