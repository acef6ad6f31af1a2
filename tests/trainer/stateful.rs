//! Training that carries states from window to window, against PyTorch's detached ones and against one long
//! sequence.

use nn_runtime::prelude::*;
use nn_runtime::train::TrainError;
use nn_tests::fixtures::load;
use nn_tests::numbers::{assert_near, numbers};

network! { struct LstmGru: [5, 2] -> [5, 2] { first: Lstm(6) -> second: Gru(3) -> head: DensePerStep(2) } }
network! { struct GruRnn: [5, 2] -> [5, 2] { first: Gru(6) -> second: Rnn(3) -> head: DensePerStep(2) } }
network! {
    struct ProjectedGru: [5, 2] -> [5, 2] { first: Lstm(12, projection = 6) -> second: Gru(3) -> head: DensePerStep(2) }
}

fn is_pytorchs<N: Network>(name: &str)
where
    Mse: Fits<N::Head> + LossOn<[f32]>,
{
    let case = load("stateful").into_iter().find(|case| case.name == name).unwrap();
    let windows = case.inputs.len() / 2;
    for threads in [1, 2] {
        let mut model = N::init(0);
        for (param, values) in &case.params {
            model.set(&param.replace("_l0", ""), &values.narrow()).unwrap();
        }
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.3).momentum(0.5)).stateful().threads(threads);
        for k in 0..windows {
            let (x, t) = (case.inputs[k].narrow(), case.inputs[windows + k].narrow());
            let data = Dataset::values((x, 10), (t, 10)).unwrap();
            let loss = trainer.step(&data).unwrap();
            let truth = case.output.as_ref().unwrap().data[k];
            assert!((loss - truth).abs() <= 1e-5 * truth, "{name}, window {k}: {loss} instead of {truth}");
        }
        for (param, truth) in &case.dparams {
            assert_near(&model.get(&param.replace("_l0", "")).unwrap(), &truth.data, &format!("{name}: {param}"));
        }
    }
}

#[test]
fn windows_learn_as_pytorchs_with_a_detached_state() {
    is_pytorchs::<LstmGru>("lstm_gru");
    is_pytorchs::<GruRnn>("gru_rnn");
    is_pytorchs::<ProjectedGru>("projected_gru");
}

network! { struct Cell: [4, 2] -> [4, 5] { Gru(5) } }
network! { struct Block: [4, 5] -> [4, 5] { Tanh -> Lstm(5) } }
network! { struct Deep: [4, 2] -> [4, 3] { DensePerStep(5) -> Block * 2 -> Gru(5) * 2 -> DensePerStep(3) } }

fn window(k: usize, samples: usize, width: usize, all: &[f32], windows: usize) -> Vec<f32> {
    (0..samples).flat_map(|i| all[(i * windows + k) * width..][..width].to_vec()).collect()
}

/// Without learning, windows one after the other are the outputs of a stream, on any number of threads, also
/// of networks within networks and several in a row.
#[test]
fn windows_are_one_long_sequence() {
    let (samples, windows) = (35, 3);
    let x = numbers(1, samples * windows * 8, 1.0);
    let model = Deep::init(3);
    for threads in [1, 3] {
        let mut own = model.clone();
        let mut trainer = Trainer::new(&mut own, (), Sgd::new(0.0)).stateful().threads(threads);
        for round in 0..2 {
            let mut stream = model.streamers(samples).unwrap();
            for k in 0..windows {
                let mut truth = vec![0.0; samples * 12];
                let x = window(k, samples, 8, &x, windows);
                for step in 0..4 {
                    let now: Vec<f32> = (0..samples).flat_map(|i| x[i * 8 + step * 2..][..2].to_vec()).collect();
                    let mut y = vec![0.0; samples * 3];
                    stream.step(&[&now], &mut [&mut y]).unwrap();
                    for i in 0..samples {
                        truth[(i * 4 + step) * 3..][..3].copy_from_slice(&y[i * 3..][..3]);
                    }
                }
                let objective = |y: &[&[f32]], _: &mut [&mut [f32]]| {
                    assert_eq!(y[0], truth, "round {round}, window {k}, {threads} threads");
                    0.0
                };
                trainer.step_with(&[&x], objective).unwrap();
            }
            trainer.reset_state();
        }
    }
}

fn data(samples: usize, salt: u64) -> Dataset<Values> {
    Dataset::values((numbers(salt, samples * 8, 1.0), 8), (numbers(salt + 50, samples * 20, 1.0), 20)).unwrap()
}

fn told(error: TrainError) -> String {
    error.to_string()
}

#[test]
fn another_size_of_batch_is_told() {
    let mut model = Cell::init(1);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-2)).stateful();
    trainer.step(&data(4, 1)).unwrap();
    let before = super::params(trainer.model());
    let message = "stateful: expected a batch of 4 samples, as the windows before had, found 3\nhelp: `trainer.reset_state()` where other sequences begin";
    assert_eq!(told(trainer.step(&data(3, 2)).unwrap_err()), message);
    assert_eq!(told(trainer.step_with(&[&[0.0; 24]], |_, _| 0.0).unwrap_err()), message);
    assert_eq!(super::params(trainer.model()), before);
    trainer.reset_state();
    trainer.step(&data(3, 2)).unwrap();
}

/// A step that is refused changes no state: the next one is as if it had not been.
#[test]
fn a_refused_step_leaves_the_state() {
    let run = |refuses: bool| {
        let mut model = Cell::init(1);
        let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-2)).stateful();
        trainer.step(&data(4, 1)).unwrap();
        if refuses {
            trainer.step_with(&[&[3.0; 32]], |_, _| f64::NAN).unwrap_err();
            trainer
                .step_with(&[&[3.0; 32]], |_, dy| {
                    dy[0][7] = f32::INFINITY;
                    0.0
                })
                .unwrap_err();
        }
        trainer.step(&data(4, 2)).unwrap();
        super::params(trainer.model())
    };
    assert_eq!(run(true), run(false));
}

/// A window without weight moves no parameter, and its state goes on.
#[test]
fn windows_to_warm_up() {
    let run = |weight: Option<f32>| {
        let mut model = Cell::init(1);
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1)).stateful();
        let begun = super::params(trainer.model());
        if let Some(weight) = weight {
            // The first half of a data set whose second half counts.
            let all = data(4, 1).concat(&data(4, 2)).unwrap();
            let all = all.with_weights((vec![weight, weight, weight, weight, 1.0, 1.0, 1.0, 1.0], 1)).unwrap();
            trainer.step(&all.select(&[0, 1, 2, 3])).unwrap();
            assert_eq!(super::params(trainer.model()), begun);
        }
        trainer.step(&data(4, 2)).unwrap()
    };
    let by_hand = {
        let mut model = Cell::init(1);
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.0)).stateful();
        trainer.step(&data(4, 1)).unwrap();
        trainer.step(&data(4, 2)).unwrap()
    };
    assert_eq!(run(Some(0.0)), by_hand);
    assert_ne!(run(None), by_hand);
}

#[test]
fn fit_keeps_windows_in_their_order() {
    let mut model = Cell::init(1);
    let train = data(12, 3);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-2)).stateful();
    assert_eq!(
        told(trainer.fit(&train, Fit::epochs(1).batch(4)).unwrap_err()),
        "stateful: expected windows in their order, found them shuffled\nhelp: `Fit::epochs(5).shuffle(false)`"
    );
    assert_eq!(
        told(trainer.fit(&train, Fit::epochs(1).batch(5).shuffle(false)).unwrap_err()),
        "stateful: expected batches of 5 windows each, found 12 windows, of which 2 are left over\nhelp: leave them out, or take another batch: the number of sequences that are learnt side by side"
    );
    trainer.fit(&train, Fit::epochs(2).batch(4).shuffle(false)).unwrap();
    let found = super::params(trainer.model());
    let mut model = Cell::init(1);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-2)).stateful();
    for _ in 0..2 {
        trainer.reset_state();
        for k in 0..3 {
            let indices: Vec<usize> = (k * 4..k * 4 + 4).collect();
            trainer.step(&train.select(&indices)).unwrap();
        }
    }
    assert_eq!(super::params(trainer.model()), found);
}

network! { struct Plain: [4, 2] -> [4, 3] { DensePerStep(3) } }
network! { struct Back: [4, 2] -> [4, 3] { Gru(3, direction = Both) -> DensePerStep(3) } }

#[test]
fn what_carries_nothing_is_told() {
    let message = "stateful: expected an `Rnn`, `Gru` or `Lstm` that goes forward and is given no state, found none\nhelp: leave `.stateful()` out";
    let x = [0.0; 8];
    let mut model = Plain::init(0);
    let mut trainer = Trainer::new(&mut model, (), Sgd::new(0.1)).stateful();
    assert_eq!(told(trainer.step_with(&[&x], |_, _| 0.0).unwrap_err()), message);
    let mut model = Back::init(0);
    let mut trainer = Trainer::new(&mut model, (), Sgd::new(0.1)).stateful();
    assert_eq!(told(trainer.step_with(&[&x], |_, _| 0.0).unwrap_err()), message);
}
