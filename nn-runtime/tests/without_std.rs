//! A step of training is the same with and without an operating system, and on every machine: these tests
//! run with the feature `std` here, without it and on other targets in `.ci/paths`. What the parameters come
//! to on the portable path is pinned by a hash, so that all of them agree.

use nn_runtime::data::{Random, digits};
use nn_runtime::prelude::*;
use nn_runtime::train::NonFinite;
use nn_runtime::train::TrainError;
use nn_runtime::{Isa, Network};

network! {
    struct Mlp: [784] -> [10] { Dense(24) -> Relu -> Dense(10) -> Softmax }
}
network! {
    /// Statistics that follow the batch, noise, and sums that are made block by block.
    struct Cnn: [1, 28, 28] -> [10] {
        Conv2d(4, 3, stride = 2) -> BatchNorm -> Relu -> MaxPool2d(2) -> Dropout(0.25) -> Flatten -> Dense(10)
    }
}
network! {
    struct Sequence: [6, 3] -> [2] { Gru(7, last = true) -> LayerNorm -> Dense(2) -> Tanh }
}

/// FNV-1a over the bits of all tensors.
fn hash<N: Network>(model: &Model<N>) -> u64 {
    let tensors = model.tensors();
    let numbers = tensors.iter().flat_map(|tensor| model.get(&tensor.name).expect("its own name"));
    let bytes = numbers.flat_map(|number| number.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[test]
fn a_dense_network_learns_the_same_bits() {
    let (train, mut model) = (digits::draw(320, 1), Mlp::init(1));
    let mut trainer = Trainer::new_on(&mut model, CrossEntropy::new(), Adam::new(1e-2), Isa::PORTABLE);
    let batches: Vec<_> = (0..10).map(|i| train.select(&(i * 32..(i + 1) * 32).collect::<Vec<_>>())).collect();
    let first = trainer.step(&batches[0]).unwrap();
    let mut last = first;
    for batch in (0..4).flat_map(|_| &batches) {
        last = trainer.step(batch).unwrap();
    }
    assert!(last < first / 2.0, "from {first} to {last}");
    assert_eq!(
        (trainer.steps(), hash(trainer.model())),
        (41, 0xd5e2_b552_ffae_ec01),
        "other bits than on other machines"
    );
}

#[test]
fn convolutions_statistics_and_settings_learn_the_same_bits() {
    let (train, mut model) = (digits::draw(50, 2), Cnn::init(2));
    let trainer = Trainer::new_on(&mut model, CrossEntropy::new(), Sgd::new(0.05).momentum(0.9), Isa::PORTABLE);
    let trainer = trainer.clip(Clip::GlobalNorm(1.0)).accumulate(2).ema(0.9).schedule(Cosine::new(20));
    let mut trainer = trainer.regularize("dense_1", Regularizer::L2(1e-3));
    for _ in 0..10 {
        trainer.step(&train).unwrap();
    }
    let average = trainer.ema_model();
    assert_eq!(
        (hash(trainer.model()), hash(&average)),
        (0xf993_fdb1_2e44_15cd, 0xc907_b6c8_5a33_fb73),
        "other bits than on other machines"
    );
}

#[test]
fn an_objective_and_gradients_of_ones_own_learn_the_same_bits() {
    let mut random = Random::keyed(3, &[]);
    let x: Vec<f32> = (0..5 * 18).map(|_| random.bell()).collect();
    let mut model = Sequence::init(3).into_trainer((), AdamW::new(1e-2));
    let gradients = model.model().gradients(&[&x[..18]], &[&[1.0, -1.0]]).unwrap();
    let mut trainer = Sequence::init(3).into_trainer((), AdamW::new(1e-2));
    for trainer in [&mut trainer, &mut model] {
        trainer.apply(&gradients).unwrap();
        trainer.freeze("layer_norm_1").unwrap();
        trainer
            .step_with(&[&x], |y, dy| {
                dy[0].iter_mut().zip(y[0]).for_each(|(dy, y)| *dy = 2.0 * y);
                y[0].iter().map(|y| f64::from(y * y)).sum()
            })
            .unwrap();
    }
    assert_eq!(hash(trainer.model()), hash(model.model()));
    let mut y = [0.0; 10];
    trainer.predict_into(&[&x], &mut [&mut y]).unwrap();
    assert!(y.iter().all(|y| y.is_finite()));
}

#[test]
fn what_cannot_be_learnt_from_is_told() {
    let mut model = Mlp::init(1);
    let begun = hash(&model);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
    let small = Dataset::classes((vec![0.0; 10], 10), [3]).unwrap();
    let text = trainer.step(&small).unwrap_err().to_string();
    assert!(text.contains("expected 784 numbers per sample for input 0 of `Mlp`, which is [784], found 10"), "{text}");
    let unknown = Dataset::classes((vec![0.0; 784], 784), [10]).unwrap();
    let text = trainer.step(&unknown).unwrap_err().to_string();
    assert!(text.contains("found 10") && text.contains("help: "), "{text}");
    let refused = trainer.step_with(&[&[0.5; 784]], |_, dy| {
        dy[0][2] = f32::NAN;
        1.0
    });
    assert!(
        matches!(
            refused,
            Err(TrainError::NotFinite { found: NonFinite::OutputGradient { element: 2, .. }, step: 1, .. })
        ),
        "{refused:?}"
    );
    assert_eq!(hash(&model), begun);
}
