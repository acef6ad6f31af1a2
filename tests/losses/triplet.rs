//! `Triplet` against PyTorch, and an encoder that learns by it.

use nn_runtime::Isa;
use nn_runtime::losses::{LossOn, Triplet};
use nn_runtime::prelude::*;
use nn_tests::fixtures::load;
use nn_tests::numbers::{assert_near, numbers};

#[test]
fn triplets_are_pytorchs() {
    for case in load("triplet") {
        let loss = Triplet::new().margin(case.number("margin")).swap(case.number("swap") == 1.0);
        let (y, [rows, width]) = (case.inputs[0].narrow(), [0, 1].map(|i| case.inputs[0].shape[i]));
        for isa in Isa::available() {
            let mut dy = vec![f32::NAN; y.len()];
            let found = loss.gradient(isa, width, &y, &[0.0][..], 1.0 / rows as f32, &mut dy) / rows as f64;
            let truth = case.output.as_ref().unwrap().data[0];
            assert!((found - truth).abs() <= 1e-5 * truth, "{}: {found} instead of {truth}", case.name);
            assert_near(&dy, &case.dinputs[0].data, &case.name);
            assert_eq!(loss.value(isa, width, &y, &[0.0][..]) / rows as f64, found);
        }
    }
    let fault = |loss: Triplet, width| LossOn::<[f32]>::fault(&loss, width, &[], 1).unwrap().1;
    assert!(fault(Triplet::new(), 4).starts_with("expected an anchor, its like and another of as many numbers each"));
    assert!(fault(Triplet::new().margin(-1.0), 3).starts_with("expected a margin of at least 0, found -1"));
}

network! { struct Encoder: [4] -> [2] { Dense(8) -> Tanh -> Dense(2) } }
network! {
    struct Three: (anchor: [4], like: [4], other: [4]) -> [6] {
        let a = anchor -> encoder: Encoder;
        let p = like -> share(encoder);
        let n = other -> share(encoder);
        (a, p, n) -> Concat
    }
}

/// What is near is near afterwards, though targets say nothing.
#[test]
fn an_encoder_learns() {
    let draw = |seed, shift: f32| -> Vec<f32> { numbers(seed, 60 * 4, 0.5).iter().map(|x| x + shift).collect() };
    let data = Dataset::values((draw(1, 0.0), 4), (vec![0.0; 60], 1)).unwrap();
    let data = data.with_input((draw(2, 0.0), 4)).unwrap().with_input((draw(3, 1.0), 4)).unwrap();
    let mut model = Three::init(1);
    let mut trainer = Trainer::new(&mut model, Triplet::new(), Adam::new(1e-2));
    let before = trainer.evaluate(&data).unwrap().loss;
    trainer.fit(&data, Fit::epochs(40)).unwrap();
    assert!(trainer.evaluate(&data).unwrap().loss < 0.5 * before);
}
