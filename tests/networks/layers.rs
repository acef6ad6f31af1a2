//! Networks as layers: within each other, several times in a row, shared, frozen. In: declarations; out:
//! nothing, or a panic.

use nn_runtime::prelude::*;
use nn_runtime::{Layer, LayerContext, LayerSpec, Network, Probe, Rule, Shape};

use crate::by_hand::{check, dense, model, names, sum, tanh};

const DEPTH: usize = 4;

network! { struct Block: [4] -> [4] {
    let y = input -> Dense(3) -> Tanh -> out: Dense(4);
    (input, y) -> Sum
} }
network! { struct Deep: [4] -> [2] { Block * (DEPTH - 1) -> Tanh -> head: Dense(2) } }

fn block<N: Network>(m: &Model<N>, at: &str, x: &[f64]) -> Vec<f64> {
    sum(x, &dense(m, &format!("{at}.out"), &tanh(&dense(m, &format!("{at}.dense_1"), x))))
}

#[test]
fn a_block_three_times() {
    let mut deep = model::<Deep>();
    assert_eq!(names(&deep)[4], "block_1.1.dense_1.weight");
    check(&mut deep, &[4], &[2], |m, x| {
        let y = (0..DEPTH - 1).fold(x[0].clone(), |y, c| block(m, &format!("block_1.{c}"), &y));
        vec![dense(m, "head", &tanh(&y))]
    });
}

network! { struct Pair: [4] -> [4] { Block -> first: Dense(4) -> Tanh } }
network! { struct Nest: [4] -> [4] { inner: Pair * 2 -> Block } }

#[test]
fn networks_in_networks() {
    check(&mut model::<Nest>(), &[4], &[4], |m, x| {
        let pair = |c: usize, x: &[f64]| {
            let y = block(m, &format!("inner.{c}.block_1"), x);
            tanh(&dense(m, &format!("inner.{c}.first"), &y))
        };
        vec![block(m, "block_1", &pair(1, &pair(0, &x[0])))]
    });
}

network! {
    struct Siamese: (left: [4], right: [4]) -> [3] {
        let a = left -> eye: Block;
        let b = right -> share(eye);
        (a, b) -> Product -> Dense(3)
    }
}

#[test]
fn a_shared_network() {
    let mut siamese = model::<Siamese>();
    assert_eq!(names(&siamese).len(), 6);
    check(&mut siamese, &[4, 4], &[3], |m, x| {
        let (a, b) = (block(m, "eye", &x[0]), block(m, "eye", &x[1]));
        vec![dense(m, "dense_1", &a.iter().zip(&b).map(|(a, b)| a * b).collect::<Vec<_>>())]
    });
}

network! { struct Looped: [3] -> [3] { once: Dense(3) -> Tanh -> share(once) -> Tanh -> share(once) } }

#[test]
fn a_layer_shared_along_one_way() {
    check(&mut model::<Looped>(), &[3], &[3], |m, x| {
        let once = |x: &[f64]| dense(m, "once", x);
        vec![once(&tanh(&once(&tanh(&once(&x[0])))))]
    });
}

network! { struct Tuned: [4] -> [2] { frozen backbone: Block -> Tanh -> head: Dense(2) } }

#[test]
fn frozen_before_what_learns() {
    check(&mut model::<Tuned>(), &[4], &[2], |m, x| vec![dense(m, "head", &tanh(&block(m, "backbone", &x[0])))]);
}

network! {
    struct Judged: [4] -> (score: [2], code: [4]) {
        let code = adapter: Dense(4) -> Tanh;
        let score = code -> frozen judge: Pair * 2 -> frozen head: Dense(2);
    }
}

#[test]
fn frozen_behind_what_learns() {
    check(&mut model::<Judged>(), &[4], &[2, 4], |m, x| {
        let code = tanh(&dense(m, "adapter", &x[0]));
        let pair = |c: usize, x: &[f64]| {
            let y = block(m, &format!("judge.{c}.block_1"), x);
            tanh(&dense(m, &format!("judge.{c}.first"), &y))
        };
        vec![dense(m, "head", &pair(1, &pair(0, &code))), code]
    });
}

network! { struct Once: [3] -> [3] { Dense(3) * 1 -> Tanh * 1 -> Dense(3) * 1 -> Relu * 1 } }

/// Repeated once, an activation is absorbed as if it stood there alone.
#[test]
fn repeated_once() {
    let mut once = model::<Once>();
    once.set("dense_2.bias", &[2.0, -3.0, 3.0]).unwrap();
    check(&mut once, &[3], &[3], |m, x| {
        let y = dense(m, "dense_2", &tanh(&dense(m, "dense_1", &x[0])));
        vec![y.iter().map(|y| y.max(0.0)).collect()]
    });
}

/// `y = -x`, which may be fused into the layer before it, and into which the layer after it may be fused.
#[derive(Clone, Copy)]
struct Negative;

impl Negative {
    const fn new() -> Self {
        Negative
    }
    const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        LayerSpec::output(x).elementwise(true).backward_without_x().accepts_elementwise().ok()
    }
}

impl Layer for Negative {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let floor = cx.floor();
        y.iter_mut().zip(x).for_each(|(y, x)| *y = (-x).max(floor));
    }
    fn apply(&self, _: &mut LayerContext, y: &mut [f32]) {
        y.iter_mut().for_each(|y| *y = -*y);
    }
    fn backward_input(
        &self,
        _: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx = -dy);
    }
}

network! { struct Chain: [4] -> [3] { Dense(3) -> Negative -> Relu } }
network! { struct LongChain: [4] -> [3] { Dense(3) -> Negative -> Negative -> Relu -> Tanh } }

/// `y = -x` too, whose rule says that its derivative follows from its output, but not that its backward needs
/// no input.
#[derive(Clone, Copy)]
struct Minus;

impl Minus {
    const fn new() -> Self {
        Minus
    }
    const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        LayerSpec::output(x).elementwise(true).ok()
    }
}

impl Layer for Minus {
    fn forward(&self, _: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = -x);
    }
    fn apply(&self, _: &mut LayerContext, y: &mut [f32]) {
        y.iter_mut().for_each(|y| *y = -*y);
    }
    fn backward_input(
        &self,
        _: &mut LayerContext,
        [x]: [&[f32]; 1],
        [y]: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        // A probe tries what would be if it were fused, too.
        assert!(x.iter().zip(y).all(|(x, y)| x.abs() == y.abs()), "the input is there");
        dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx = -dy);
    }
}

network! { struct Half: [4] -> [3] { Dense(3) -> Minus } }

/// It is not fused while training, and says what is missing.
#[test]
fn half_a_claim_of_an_elementwise_layer() {
    check(&mut model::<Half>(), &[4], &[3], |m, x| vec![dense(m, "dense_1", &x[0]).iter().map(|y| -y).collect()]);
    let probe = Probe::new(Minus, Minus::rule, [Shape::of([4])]).unwrap();
    let found = probe.check_contract(2, [&[1.0, -2.0, 3.0, 0.5].repeat(2)], [&[1.0; 8]]).unwrap_err();
    assert!(found.starts_with("`elementwise(true)`: expected `backward_without_x` beside it"), "{found}");
}

/// A layer that is itself fused into the one before it runs no kernel that could end with the next one.
#[test]
fn what_is_fused_takes_nothing_in() {
    let relu = |x: Vec<f64>| -> Vec<f64> { x.into_iter().map(|x| x.max(0.0)).collect() };
    let negative = |x: Vec<f64>| -> Vec<f64> { x.into_iter().map(|x| -x).collect() };
    check(&mut model::<Chain>(), &[4], &[3], |m, x| vec![relu(negative(dense(m, "dense_1", &x[0])))]);
    check(&mut model::<LongChain>(), &[4], &[3], |m, x| vec![tanh(&relu(dense(m, "dense_1", &x[0])))]);
}
