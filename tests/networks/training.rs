//! Training of graphs: a step follows the gradient of the loss it reports, and nothing frozen moves. In: declarations; out: nothing, or
//! a panic.

use nn_runtime::data::{Labels, Samples};
use nn_runtime::prelude::*;
use nn_tests::numbers::{distance, wide};

use crate::by_hand::{SAMPLES, model, param_slopes, samples};

network! {
    struct Detector: [4] -> (class: [3], at: [2]) {
        let trunk = stem: Dense(3) -> Tanh;
        let class = trunk -> Softmax;
        let at = trunk -> frozen Dense(3) -> Tanh -> Dense(2);
    }
}

/// The softmax is left out for its loss, and its gradient still meets that of the other way.
#[test]
fn a_step_follows_the_sum_of_two_losses() {
    let mut model = model::<Detector>();
    let x = samples(&[4]);
    let at = samples(&[2]);
    let targets = (Labels::new([0u32, 2, 1]).unwrap(), Samples::into_values((&at[0][..], 2)).unwrap());
    let data = Dataset::new((&x[0][..], 4), targets).unwrap();
    assert_eq!(data.len(), SAMPLES);
    let losses = || (CrossEntropy::new(), Mse::new());
    let loss = |model: &mut Model<Detector>| Trainer::new(model, losses(), Sgd::new(1.0)).evaluate(&data).unwrap().loss;
    let mut stepped = model.clone();
    Trainer::new(&mut stepped, losses(), Sgd::new(1.0)).step(&data).unwrap();
    for tensor in model.tensors() {
        let (before, after) = (model.get(&tensor.name).unwrap(), stepped.get(&tensor.name).unwrap());
        if tensor.frozen {
            assert_eq!(before, after, "`{}` is frozen", tensor.name);
            continue;
        }
        let truth = param_slopes(&mut model, &tensor.name, loss);
        let step: Vec<f32> = before.iter().zip(&after).map(|(before, after)| before - after).collect();
        assert!(distance(&step, &truth) < 2e-3, "`{}`: {step:?} instead of {truth:?}", tensor.name);
        assert!(wide(&step).iter().any(|step| step.abs() > 1e-3), "`{}` learns", tensor.name);
    }
}
