//! Training in memory of the caller's: the bits of the trainer that allocates, whatever the layers, the
//! optimiser, the clipping and the size of a batch; what does not fit is told, and nothing has changed.

use nn_runtime::data::{OneTarget, Samples, digits};
use nn_runtime::losses::{Fits, LossOn};
use nn_runtime::optim::Optimizer;
use nn_runtime::prelude::*;
use nn_runtime::train::{StepErrorKind, TrainerIn};
use nn_runtime::{Isa, ModelRef};

network! {
    struct Mlp: [64] -> [5] { Dense(33) -> Tanh -> Dropout(0.3) -> Dense(5) -> Softmax }
}
network! {
    /// Sums made block by block, statistics, noise, a parameter between two convolutions.
    struct Cnn: [1, 28, 28] -> [10] {
        Conv2d(5, 3, stride = 2) -> BatchNorm -> Relu -> Dropout2d(0.1);
        Conv2d(7, 3) -> Relu -> MaxPool2d(2) -> Flatten -> Dense(10)
    }
}
network! {
    struct LeNet: [1, 28, 28] -> [10] {
        Conv2d(6, 5, padding = Same) -> Relu -> MaxPool2d(2);
        Conv2d(16, 5) -> Relu -> MaxPool2d(2);
        Flatten -> Dense(64) -> Relu -> head: Dense(10)
    }
}
network! {
    struct Words: [6] -> [3] { Embedding(11, 4, padding = 2) -> Gru(7, last = true) -> LayerNorm -> Dense(3) }
}
network! { struct Block: [9] -> [9] { Dense(9) -> Elu -> BatchNorm } }
network! {
    /// Networks within, repeated, shared and frozen.
    struct Nested: [9] -> [2] {
        first: Block * 2 -> frozen fixed: Dense(9) -> Prelu -> a: Dense(9) -> Tanh -> share(a) -> Dense(2)
    }
}
network! {
    struct Steps: [5, 3] -> [5, 4] { Lstm(6) -> DensePerStep(4) }
}
network! {
    struct Pair: (x: [5], z: [3]) -> (a: [4], b: [3]) {
        let a = x -> Dense(4) -> Tanh;
        let b = (a, z) -> Concat -> Dense(3);
    }
}

fn wave(n: usize, seed: f32) -> Vec<f32> {
    (0..n).map(|i| (i as f32 * 0.61 + seed).sin()).collect()
}

/// What trains both ways.
struct Case<'a, T, L, O> {
    data: &'a Dataset<T>,
    loss: L,
    optimizer: O,
    clip: Option<Clip>,
}

/// Sizes of batches, of up to 40 samples: of one and of several micro-batches, none of them a single sample.
const SIZES: [usize; 8] = [40, 3, 17, 32, 16, 40, 33, 2];

impl<T: OneTarget, L: LossOn<[T::Item]> + Copy, O: Optimizer + Copy> Case<'_, T, L, O> {
    /// Trains on each instruction set; losses, all parameters and predictions are the same bits.
    fn same<N: Network>(&self, len: fn(usize, usize) -> usize)
    where
        L: Fits<N::Head>,
    {
        let Case { data, loss, optimizer, clip } = *self;
        for isa in Isa::available() {
            let (mut a, mut b) = (N::init(7), vec![f32::NAN; N::PARAMS_LEN]);
            let mut b = N::init_in(7, &mut b).unwrap();
            assert_eq!(a.as_params(), b.as_params());
            // What lies there changes nothing.
            let mut memory = vec![f32::NAN; len(40, optimizer.slots())];
            let mut allocated = Trainer::new_on(&mut a, loss, optimizer, isa).threads(1);
            let mut lent = TrainerIn::new_in_on(&mut memory, 40, &mut b, loss, optimizer, isa).unwrap();
            if let Some(clip) = clip {
                (allocated, lent) = (allocated.clip(clip), lent.clip(clip));
            }
            let mut from = 0;
            for size in SIZES {
                let indices: Vec<usize> = (0..size).map(|i| (from + i) % data.len()).collect();
                from += size;
                let batch = data.select(&indices);
                let expected = allocated.step(&batch).unwrap();
                let found = lent.step(&inputs(&batch), batch.targets().as_slice()).unwrap();
                assert_eq!(expected.to_bits(), found.to_bits(), "{isa:?}, {size} samples");
                assert!(allocated.model().as_params() == lent.as_params(), "{isa:?}, {size} samples");
            }
            assert_eq!(allocated.steps(), lent.steps());
            assert_ne!(lent.as_params(), N::init(7).as_params());
        }
    }
}

fn inputs<T: nn_runtime::data::Targets>(data: &Dataset<T>) -> Vec<&[f32]> {
    data.inputs().iter().map(|x| x.as_slice()).collect()
}

fn classes(width: usize, classes: u32) -> Dataset<Labels> {
    let labels: Vec<u32> = (0..60).map(|i| i * 7 % classes).collect();
    Dataset::classes((wave(60 * width, 0.0), width), labels).unwrap()
}

#[test]
fn every_optimiser_of_numbers_learns_the_same_bits() {
    let data = classes(64, 5);
    macro_rules! each {
        ($($optimizer:expr),+) => {$(
            Case { data: &data, loss: CrossEntropy::new(), optimizer: $optimizer, clip: None }.same::<Mlp>(Mlp::train_len);
        )+};
    }
    each!(
        Sgd::new(0.1),
        Sgd::new(0.1).momentum(0.9).weight_decay(1e-3),
        Adam::new(1e-2),
        Adam::new(1e-2).amsgrad(true),
        AdamW::new(1e-2),
        RmsProp::new(1e-3),
        Adagrad::new(1e-2),
        Lion::new(1e-3),
        Nadam::new(1e-3)
    );
}

#[test]
fn clipped_gradients_are_the_same_bits() {
    let data = classes(64, 5);
    for clip in [Clip::Value(1e-3), Clip::Norm(1e-2), Clip::GlobalNorm(1e-2)] {
        let case = Case { data: &data, loss: CrossEntropy::new(), optimizer: Sgd::new(0.5), clip: Some(clip) };
        case.same::<Mlp>(Mlp::train_len);
    }
    let data = digits::draw(60, 1);
    let clip = Some(Clip::GlobalNorm(0.1));
    Case { data: &data, loss: CrossEntropy::new(), optimizer: Adam::new(1e-2), clip }.same::<Cnn>(Cnn::train_len);
}

#[test]
fn convolutions_statistics_recurrence_and_networks_within_learn_the_same_bits() {
    let data = digits::draw(60, 1);
    let (loss, optimizer, clip) = (CrossEntropy::new(), Adam::new(1e-2), None);
    Case { data: &data, loss, optimizer, clip }.same::<Cnn>(Cnn::train_len);
    Case { data: &data, loss, optimizer, clip }.same::<LeNet>(LeNet::train_len);
    let ids: Vec<f32> = (0..360).map(|i| (i * i % 11) as f32).collect();
    let words = Dataset::classes((ids, 6), (0..60).map(|i| i % 3).collect::<Vec<u32>>()).unwrap();
    Case { data: &words, loss, optimizer, clip }.same::<Words>(Words::train_len);
    let values = Dataset::values((wave(540, 1.0), 9), (wave(120, 2.0), 2)).unwrap();
    Case { data: &values, loss: Mse::new(), optimizer, clip }.same::<Nested>(Nested::train_len);
    let steps = Dataset::values((wave(900, 1.0), 15), (wave(1200, 2.0), 20)).unwrap();
    Case { data: &steps, loss: Huber::new(), optimizer, clip }.same::<Steps>(Steps::train_len);
    let labels: Vec<u32> = (0..300).map(|i| i % 4).collect();
    let steps =
        Dataset::new((wave(900, 1.0), 15).into_values().unwrap(), Labels::per_step(labels, 5).unwrap()).unwrap();
    Case { data: &steps, loss, optimizer, clip }.same::<Steps>(Steps::train_len);
}

/// Steps by an objective on all samples, and several outputs.
#[test]
fn an_objective_on_whole_batches_learns_the_same_bits() {
    fn objective(y: &[&[f32]], dy: &mut [&mut [f32]]) -> f64 {
        let mut loss = 0.0;
        for (y, dy) in y.iter().zip(dy) {
            // What depends on all samples.
            let mean = y.iter().sum::<f32>() / y.len() as f32;
            for (y, dy) in y.iter().zip(dy.iter_mut()) {
                *dy = 0.1 * (y - 0.5 * mean);
                loss += f64::from(0.05 * y * y);
            }
        }
        loss
    }
    macro_rules! same {
        ($net:ident, $($width:literal),+) => {
            for isa in Isa::available() {
                let (mut a, mut b) = ($net::init(7), vec![f32::NAN; $net::PARAMS_LEN]);
                let mut b = $net::init_in(7, &mut b).unwrap();
                let mut memory = vec![f32::NAN; $net::train_whole_len(37, 2)];
                let mut allocated = Trainer::new_on(&mut a, (), Adam::new(1e-2), isa).threads(1);
                let mut lent = TrainerIn::new_in_on(&mut memory, 37, &mut b, (), Adam::new(1e-2), isa).unwrap();
                for size in [37, 5, 20] {
                    let x = [$(wave(size * $width, size as f32)),+];
                    let x: Vec<&[f32]> = x.iter().map(|x| &x[..]).collect();
                    let expected = allocated.step_with(&x, objective).unwrap();
                    assert_eq!(expected.to_bits(), lent.step_with(&x, objective).unwrap().to_bits(), "{isa:?}");
                    assert!(allocated.model().as_params() == lent.as_params(), "{isa:?}");
                }
            }
        };
    }
    same!(Pair, 5, 3);
    same!(Cnn, 784);
    same!(Mlp, 64);
}

#[test]
fn what_is_trained_predicts_and_goes_on() {
    let data = classes(64, 5);
    let mut params = [0.0; Mlp::PARAMS_LEN];
    let mut model = Mlp::init_in(3, &mut params).unwrap();
    let x = data.inputs()[0].as_slice();
    let (mut y, mut z) = (vec![0.0; 300], vec![1.0; 300]);
    {
        let mut memory = [0.0; Mlp::train_len(16, 0)];
        let mut trainer = Trainer::new_in(&mut memory, 16, &mut model, CrossEntropy::new(), Sgd::new(0.1)).unwrap();
        trainer.step(&[&x[..640]], &data.targets().as_slice()[..10]).unwrap();
        trainer.predict_into(&[x], &mut [&mut y]).unwrap();
    }
    let mut memory = [0.0; Mlp::predict_len(4)];
    nn_runtime::Predictor::new_in(&model, 4, &mut memory).unwrap().predict_into(&[x], &mut [&mut z]).unwrap();
    assert_eq!(y, z);
    // Numbers that lie elsewhere are a beginning too, and so are those of a model that has memory of its own.
    let mut copy = [0.0; Mlp::PARAMS_LEN];
    let given = ModelRef::<Mlp>::new(model.as_params()).unwrap();
    assert_eq!(Model::copy_in(given, &mut copy).unwrap().as_params(), model.as_params());
    let mut own = Mlp::init(1);
    let mut memory = [0.0; Mlp::train_len(1, 0)];
    let mut trainer = Trainer::new_in(&mut memory, 1, &mut own, CrossEntropy::new(), Sgd::new(0.1)).unwrap();
    trainer.step(&[&x[..64]], &[4]).unwrap();
    assert_ne!(own.as_params(), Mlp::init(1).as_params());
}

fn says(text: &str, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(text.contains(part), "expected {part:?} in: {text}"));
}

#[test]
fn memory_that_is_too_short_is_told() {
    let mut model = Mlp::init(0);
    let mut memory = [0.0; Mlp::train_len(8, 2)];
    let short =
        Trainer::new_in(&mut memory, 9, &mut model, CrossEntropy::new(), Adam::new(1e-3)).map(|_| ()).unwrap_err();
    assert_eq!((short.expected, short.found), (Mlp::train_len(9, 2), Mlp::train_len(8, 2)));
    says(&short.to_string(), &["expected memory of ", "`Mlp`", "9 samples", "help: `[0.0; Mlp::train_len(9, 2)]`"]);
    assert!(Trainer::new_in(&mut memory, 0, &mut model, CrossEntropy::new(), Adam::new(1e-3)).is_err());
    assert!(Trainer::new_in(&mut memory, 8, &mut model, CrossEntropy::new(), Adam::new(1e-3)).is_ok());
    let mut params = [0.0; Mlp::PARAMS_LEN - 1];
    let short = Mlp::init_in(0, &mut params).map(|_| ()).unwrap_err();
    assert_eq!((short.expected, short.found), (Mlp::PARAMS_LEN, Mlp::PARAMS_LEN - 1));
    says(&short.to_string(), &["for the parameters of `Mlp`", "help: `[0.0; Mlp::PARAMS_LEN]`"]);
    // A step by a loss takes less than one by an objective on whole batches, where it goes through parts.
    const { assert!(LeNet::train_len(400, 0) < LeNet::train_whole_len(400, 0)) };
    let (mut model, mut memory) = (LeNet::init(0), vec![0.0; LeNet::train_len(400, 0)]);
    let mut trainer = Trainer::new_in(&mut memory, 400, &mut model, (), Sgd::new(0.1)).unwrap();
    let error = trainer.step_with(&[&vec![0.0; 784 * 400]], |_, _| 0.0).unwrap_err();
    assert_eq!(error.kind(), StepErrorKind::Memory);
    let expected = format!("expected memory of {} numbers", LeNet::train_whole_len(400, 0));
    says(&error.to_string(), &[&expected, "help: `[0.0; LeNet::train_whole_len(400, 0)]`"]);
}

#[test]
fn a_step_that_is_refused_has_changed_nothing() {
    let mut model = Mlp::init(0);
    let begun = model.as_params().to_vec();
    let mut memory = [0.0; Mlp::train_len(8, 2)];
    let mut trainer = Trainer::new_in(&mut memory, 8, &mut model, CrossEntropy::new(), Adam::new(1e-3)).unwrap();
    let x = wave(64 * 9, 0.0);
    let mut bad = wave(128, 0.0);
    bad[70] = f32::NAN;
    type Case<'a> = (&'a [f32], &'a [u32], StepErrorKind, &'a [&'a str]);
    let cases: [Case; 7] = [
        (&x[..63], &[0], StepErrorKind::Input, &["expected whole samples of [64]", "found 63"]),
        (&bad, &[0, 1], StepErrorKind::Input, &["sample 1, input 0, element 6: expected a finite number"]),
        (&[], &[], StepErrorKind::Memory, &["expected at least 1 sample, found none"]),
        (&x, &[0; 9], StepErrorKind::Memory, &["expected at most 8 samples", "`Mlp`", "found 9"]),
        (
            &x[..128],
            &[0, 1, 2],
            StepErrorKind::Targets,
            &["expected targets for 2 samples of the output, [5], found 3"],
        ),
        (&x[..128], &[], StepErrorKind::Targets, &["found 0"]),
        (&x[..128], &[0, 5], StepErrorKind::Targets, &["sample 1: expected a label from 0 to 4, found 5"]),
    ];
    for (x, targets, kind, parts) in cases {
        let error = trainer.step(&[x], targets).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        says(&error.to_string(), parts);
    }
    trainer.optimizer().set_learning_rate(-1.0);
    let error = trainer.step(&[&x[..64]], &[0]).unwrap_err();
    assert_eq!(error.kind(), StepErrorKind::Setting);
    says(&error.to_string(), &["expected a learning rate of at least 0, found -1"]);
    assert_eq!((trainer.as_params(), trainer.steps()), (&begun[..], 0));

    let muon = Muon::new(0.02, AdamW::new(1e-3));
    let mut trainer = Trainer::new_in(&mut memory, 8, &mut model, CrossEntropy::new(), muon).unwrap();
    let error = trainer.step(&[&x[..64]], &[0]).unwrap_err();
    says(&error.to_string(), &["expected an optimiser that changes each number by itself"]);
    assert_eq!(model.as_params(), begun);
}

/// A step in doubt is tried out on copies first: what both trainers refuse, and what both take.
#[test]
fn steps_to_what_is_not_finite_are_refused_as_by_a_trainer_that_allocates() {
    let (data, mut refused) = (classes(64, 5), 0);
    for rate in [1e30, 1e38, f64::from(f32::MAX)] {
        let (mut a, mut b) = (Mlp::init(1), Mlp::init(1));
        let optimizer = Sgd::new(rate).momentum(0.9);
        let mut allocated = Trainer::new(&mut a, CrossEntropy::new(), optimizer);
        let mut memory = vec![0.0; Mlp::train_len(60, 1)];
        let mut lent = Trainer::new_in(&mut memory, 60, &mut b, CrossEntropy::new(), optimizer).unwrap();
        let (x, labels) = (inputs(&data), data.targets().as_slice());
        for _ in 0..4 {
            match (allocated.step(&data), lent.step(&x, labels)) {
                (Ok(a), Ok(b)) => assert_eq!(a.to_bits(), b.to_bits(), "{rate:e}"),
                (Err(a), Err(b)) => {
                    refused += 1;
                    assert_eq!(b.kind(), StepErrorKind::NotFinite);
                    assert_eq!(a.to_string(), b.to_string(), "{rate:e}");
                }
                (a, b) => panic!("{rate:e}: {a:?}, {b:?}"),
            }
            assert!(allocated.model().as_params() == lent.as_params(), "{rate:e}");
        }
    }
    assert!(refused > 0);
}
