//! Pools that the convolution before them takes, against the same where something stands between. In:
//! declarations; out: nothing, or a panic. Nothing here may know how that is done.

use nn_runtime::Network;
use nn_runtime::data::Samples;
use nn_runtime::prelude::*;
use nn_tests::numbers::{distance, numbers, wide};

use crate::by_hand::model;

const SAMPLES: usize = 5;
const PIXELS: usize = 11 * 12;

network! { struct Taken: [1, 11, 12] -> [4] {
    Conv2d(5, 3) -> Relu -> MaxPool2d(2) -> Conv2d(18, 2, padding = Same) -> MaxPool2d(3, stride = 2, padding = Same) -> Flatten -> Dense(4)
} }
network! { struct Apart: [1, 11, 12] -> [4] {
    Conv2d(5, 3) -> Relu -> Reshape([5, 9, 10]) -> MaxPool2d(2);
    Conv2d(18, 2, padding = Same) -> Reshape([18, 4, 5]) -> MaxPool2d(3, stride = 2, padding = Same) -> Flatten -> Dense(4)
} }

network! { struct LastTaken: [1, 11, 12] -> [3, 1, 2] { Conv2d(7, 4) -> Relu -> Conv2d(3, 3, stride = 2) * 1 -> Relu * 1 -> MaxPool2d(2) * 1 } }
network! { struct LastApart: [1, 11, 12] -> [3, 1, 2] {
    Conv2d(7, 4) -> Relu -> Conv2d(3, 3, stride = 2) -> Relu -> Reshape([3, 3, 4]) -> MaxPool2d(2)
} }

network! { struct ReadTwiceTaken: [1, 11, 12] -> (all: [4, 4, 5], one: [2]) {
    let all = Conv2d(4, 3) -> Relu -> MaxPool2d(2);
    let one = all -> frozen Conv2d(2, 2) -> Relu -> MaxPool2d(2) -> Flatten -> Dense(2);
} }
network! { struct ReadTwiceApart: [1, 11, 12] -> (all: [4, 4, 5], one: [2]) {
    let all = Conv2d(4, 3) -> Relu -> Reshape([4, 9, 10]) -> MaxPool2d(2);
    let one = all -> frozen Conv2d(2, 2) -> Relu -> Reshape([2, 3, 4]) -> MaxPool2d(2) -> Flatten -> Dense(2);
} }

/// Both with the same numbers: what they predict, and every gradient.
#[track_caller]
fn alike<A: Network, B: Network>(outputs: &[usize]) {
    let (taken, apart) = (model::<A>(), model::<B>());
    let x = numbers(3, SAMPLES * PIXELS, 1.0);
    let predicted = |predict: &dyn Fn(&mut [&mut [f32]])| {
        let mut y: Vec<Vec<f32>> = outputs.iter().map(|len| vec![f32::NAN; SAMPLES * len]).collect();
        predict(&mut y.iter_mut().map(|y| &mut y[..]).collect::<Vec<_>>());
        y
    };
    let found = predicted(&|y| taken.predictor(2).predict_into(&[&x], y).unwrap());
    let expected = predicted(&|y| apart.predictor(2).predict_into(&[&x], y).unwrap());
    assert_eq!(found, expected);
    assert!(found.iter().flatten().any(|y| *y != 0.0));

    let dy: Vec<Vec<f32>> =
        outputs.iter().enumerate().map(|(j, len)| numbers(4 + j as u64, SAMPLES * len, 1.0)).collect();
    let dy: Vec<&[f32]> = dy.iter().map(|dy| &dy[..]).collect();
    let (found, expected) = (taken.gradients(&[&x], &dy).unwrap(), apart.gradients(&[&x], &dy).unwrap());
    assert!(distance(&found.inputs[0], &wide(&expected.inputs[0])) < 1e-6);
    assert_eq!(found.params.len(), expected.params.len());
    for ((name, found), (_, expected)) in found.params.iter().zip(&expected.params) {
        assert!(expected.iter().any(|dw| *dw != 0.0), "`{name}` learns");
        assert!(distance(found, &wide(expected)) < 1e-6, "`{name}`: {found:?} instead of {expected:?}");
    }
}

#[test]
fn pools_that_are_taken_change_no_number() {
    alike::<Taken, Apart>(&[4]);
    alike::<LastTaken, LastApart>(&[6]);
    alike::<ReadTwiceTaken, ReadTwiceApart>(&[80, 2]);
}

/// What is kept for the backward pass is a quarter of what it would be, and no gradient has a place before
/// the pool.
#[test]
fn what_is_taken_needs_less_memory() {
    assert!(Taken::memory(8).training() < Apart::memory(8).training());
    assert!(Taken::memory(8).prediction() < Apart::memory(8).prediction());
}

/// A training step, which asks for no gradient of the input.
#[test]
fn steps_are_the_same() {
    fn stepped<N: Network<Head = nn_runtime::PlainHead>>() -> Vec<Vec<f32>> {
        let mut model = model::<N>();
        let (x, y) = (numbers(5, SAMPLES * PIXELS, 1.0), numbers(6, SAMPLES * 4, 1.0));
        let targets = Samples::into_values((&y[..], 4)).unwrap();
        let data = Dataset::new((&x[..], PIXELS), targets).unwrap();
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.01));
        for _ in 0..3 {
            assert!(trainer.step(&data).unwrap().is_finite());
        }
        model.tensors().iter().map(|tensor| model.get(&tensor.name).unwrap()).collect()
    }
    for (taken, apart) in stepped::<Taken>().iter().zip(&stepped::<Apart>()) {
        assert!(distance(taken, &wide(apart)) < 1e-6, "{taken:?} instead of {apart:?}");
    }
}
