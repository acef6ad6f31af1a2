//! Training of graphs: a step follows the gradient of the loss it reports, and nothing frozen moves. In:
//! declarations; out: nothing, or a panic.

use nn_runtime::data::{Labels, Samples};
use nn_runtime::prelude::*;
use nn_runtime::{Layer, LayerContext, LayerSpec, ParamGrad, ReadContext, Rule, Shape};
use nn_runtime::{LogSoftmaxHead, Network, OtherHead, PlainHead, SigmoidHead, SoftmaxHead, ValueHead};
use nn_tests::numbers::{distance, wide};

use crate::by_hand::{SAMPLES, model, param_slopes, predict, samples};

network! {
    struct Detector: [4] -> (class: [3], at: [2]) {
        let trunk = stem: Dense(3);
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

activation! { bent(x; learn slope = 0.7) = slope * tanh(x) + slope * slope * x }

/// `y = slope · x²`, elementwise and with a parameter whose gradient needs `x`.
#[derive(Clone, Copy)]
struct Squares;

impl Squares {
    const fn new() -> Self {
        Squares
    }
    const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        LayerSpec::output(x).param("slope", Shape::of([1]), Constant(0.7)).elementwise(false).ok()
    }
}

impl Layer for Squares {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        y.copy_from_slice(x);
        self.apply(cx, y);
    }
    fn apply(&self, cx: &mut LayerContext, y: &mut [f32]) {
        let slope = cx.param(0)[0];
        y.iter_mut().for_each(|y| *y = slope * *y * *y);
    }
    fn backward_input(
        &self,
        cx: &mut LayerContext,
        [x]: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        let slope = cx.param(0)[0];
        dx.iter_mut().zip(x).zip(dy).for_each(|((dx, x), dy)| *dx = 2.0 * slope * x * dy);
    }
    fn backward_params(&self, cx: &mut ReadContext, [x]: [&[f32]; 1], [dy]: [&[f32]; 1], mut grad: ParamGrad) {
        let (_, slope) = grad.slice(cx, 0);
        slope.iter_mut().for_each(|slope| *slope += x.iter().zip(dy).map(|(x, dy)| dy * x * x).sum::<f32>());
    }
}

network! { struct BehindFrozen: [4] -> [2] { frozen Dense(5) -> Squares -> Dense(2) } }
network! { struct FrozenFirst: [4] -> [2] { frozen stem: Dense(5) -> Squares -> Squares -> frozen Dense(2) } }
network! { struct FormulaBehind: [4] -> [2] { frozen Dense(5) -> Bent -> Dense(2) } }

fn a_step_follows_its_loss<N: Network<Head = PlainHead>>() {
    let mut model = model::<N>();
    let x = samples(&[4, 2]);
    let data = Dataset::values((&x[0][..], 4), (&x[1][..], 2)).unwrap();
    let loss = |model: &mut Model<N>| Trainer::new(model, Mse::new(), Sgd::new(1.0)).evaluate(&data).unwrap().loss;
    let mut stepped = model.clone();
    Trainer::new(&mut stepped, Mse::new(), Sgd::new(1.0)).step(&data).unwrap();
    for tensor in model.tensors().iter().filter(|tensor| !tensor.frozen) {
        let (before, after) = (model.get(&tensor.name).unwrap(), stepped.get(&tensor.name).unwrap());
        let truth = param_slopes(&mut model, &tensor.name, loss);
        let step: Vec<f32> = before.iter().zip(&after).map(|(before, after)| before - after).collect();
        for (step, truth) in step.iter().zip(&truth) {
            let off = (f64::from(*step) - truth).abs();
            assert!(off < 5e-5 + 2e-3 * truth.abs(), "`{}`: {step} instead of {truth}", tensor.name);
        }
    }
}

/// Behind what is frozen nobody asks for the gradient of an activation's input, but that of its own parameter
/// needs the input: it may not be overwritten.
#[test]
fn an_activation_that_learns_keeps_its_input_behind_what_is_frozen() {
    a_step_follows_its_loss::<BehindFrozen>();
    a_step_follows_its_loss::<FrozenFirst>();
    a_step_follows_its_loss::<FormulaBehind>();
}

network! { struct Rows: [4] -> [2, 3] { Dense(6) -> Reshape([2, 3]) -> Softmax } }
network! { struct Flat: [1, 3] -> [3] { Flatten } }
network! { struct Behind: [4] -> [3] { Dense(3) -> Softmax -> Reshape([1, 3]) -> Flat } }
network! {
    struct Two: [4] -> (p: [1, 3], q: [3]) {
        let p = Dense(3) -> Reshape([1, 3]) -> Softmax;
        let q = p -> Flatten;
    }
}
network! { struct Twice: [4] -> [4] { Dense(4) -> Sigmoid * 2 } }
network! { struct Scores: [4] -> [2, 3] { Dense(6) -> Reshape([2, 3]) } }
network! { struct Inner: [2, 3] -> [2, 3] { LogSoftmax } }
network! { struct Within: [4] -> [2, 3] { Dense(6) -> Reshape([2, 3]) -> Inner } }
network! { struct Joined: [4] -> [6] { Within -> Flatten } }
network! { struct Cut: [4] -> [2, 3] { Dense(6) -> Softmax -> Reshape([2, 3]) } }
network! { struct Column: [4] -> [6, 1] { Dense(6) -> Softmax -> Reshape([6, 1]) } }
network! { struct Answers: [4] -> [6, 1] { Dense(6) -> Reshape([6, 1]) } }
network! { struct Picture: [4] -> [2, 3, 2] { Dense(12) -> Reshape([2, 3, 2]) } }
network! { struct Classes: [4] -> [2, 3, 2] { Picture -> Softmax } }
network! { struct Flattened: [4] -> [12] { Picture -> Flatten } }
network! { struct Mask: [4] -> [2, 3, 2] { Picture -> Sigmoid } }

/// What a loss would leave out must be what the output is, for this output alone.
#[test]
fn heads_are_what_outputs_are() {
    fn head<N: Network<Head = H>, H>() {}
    head::<Rows, SoftmaxHead>();
    head::<Scores, PlainHead>();
    head::<Within, LogSoftmaxHead>();
    head::<Answers, ValueHead>();
    // Other rows than those the softmax worked on.
    head::<Joined, OtherHead>();
    head::<Cut, OtherHead>();
    head::<Column, OtherHead>();
    // Three dimensions are a picture: each of its numbers stands for itself.
    head::<Picture, ValueHead>();
    head::<Classes, OtherHead>();
    head::<Flattened, PlainHead>();
    head::<Mask, SigmoidHead>();
    head::<Behind, SoftmaxHead>();
    head::<Two, (OtherHead, OtherHead)>();
    head::<Twice, OtherHead>();
}

/// Through the reshaping behind it the softmax is left out as if it stood at the end.
#[test]
fn a_head_behind_a_network_that_moves_numbers() {
    let mut model = model::<Behind>();
    let x = samples(&[4]);
    let data = Dataset::classes((&x[0][..], 4), [0u32, 2, 1]).unwrap();
    let y = predict(&model, &x, &[3]);
    let truth: f64 = [0, 3 + 2, 6 + 1].iter().map(|&i| -f64::from(y[0][i]).ln() / 3.0).sum();
    let found = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(1.0)).step(&data).unwrap();
    assert!((found - truth).abs() < 1e-6 * truth, "{found} instead of {truth}");
}
