//! Values that are dropped, layers of several values repeated, attributes that decide whether a network is
//! there. In: declarations; out: nothing, or a panic.

use nn_runtime::prelude::*;

use crate::by_hand::{check, dense, model, sum, tanh};

network! {
    struct Half: [4] -> [2] {
        let (a, _) = Dense(6) -> Tanh -> Split(2);
        a -> Dense(2)
    }
}

#[test]
fn half_of_a_split_is_dropped() {
    check(&mut model::<Half>(), &[4], &[2], |m, x| {
        let h = tanh(&dense(m, "dense_1", &x[0]));
        vec![dense(m, "dense_2", &h[..3])]
    });
}

network! {
    struct Middle: [4] -> [2] {
        let h = Dense(6);
        let (_first, b, _) = h -> Split(3);
        let c = b -> Tanh;
        (b, c) -> Sum -> last: Dense(2)
    }
}

#[test]
fn the_first_and_the_last_are_dropped() {
    check(&mut model::<Middle>(), &[4], &[2], |m, x| {
        let b = &dense(m, "dense_1", &x[0])[2..4];
        vec![dense(m, "last", &sum(b, &tanh(b)))]
    });
}

network! {
    struct Both: [3] -> (a: [2], b: [2]) {
        let h = Dense(4) -> Tanh;
        let a = h -> Dense(2);
        let b = h -> Dense(2);
    }
}
network! {
    struct OneOfTwoOn: [3] -> [1] {
        let (_, b) = both: Both;
        b -> Dense(1)
    }
}

#[test]
fn one_output_of_a_network_is_dropped() {
    check(&mut model::<OneOfTwoOn>(), &[3], &[1], |m, x| {
        let h = tanh(&dense(m, "both.dense_1", &x[0]));
        vec![dense(m, "dense_1", &dense(m, "both.dense_3", &h))]
    });
}

network! {
    struct Gate: (x: [3], gate: [3]) -> [3] {
        let y = x -> Dense(3) -> Tanh;
        (y, gate) -> Product
    }
}
network! {
    struct Gates: (x: [3], gate: [3]) -> [3] {
        (x, gate) -> Gate * 3
    }
}

#[test]
fn a_layer_of_two_values_is_repeated() {
    assert_eq!(Gates::param_count(), 3 * Gate::param_count());
    check(&mut model::<Gates>(), &[3, 3], &[3], |m, x| {
        let mut y = x[0].to_vec();
        for copy in 0..3 {
            let h = tanh(&dense(m, &format!("gate_1.{copy}.dense_1"), &y));
            y = h.iter().zip(&x[1]).map(|(h, gate)| h * gate).collect();
        }
        vec![y]
    });
}

network! {
    #[cfg(any())]
    struct Never: [MISSING] -> [2] { Dense(2) }
}
network! {
    #[cfg(all())]
    #[deprecated(note = "for a test")]
    struct Always: [3] -> [2] {
        /// Documentation is taken anywhere.
        Dense(2)
    }
}

/// A layer that is given an array, generic and not, and whose type is a value too.
#[derive(Clone, Copy)]
struct Weights<const N: usize>([f32; N]);

impl<const N: usize> Weights<N> {
    const fn new(by: [f32; N]) -> Self {
        Weights(by)
    }
    const fn rule(&self, [x]: [nn_runtime::Shape; 1]) -> nn_runtime::Rule {
        nn_runtime::LayerSpec::output(x).ok()
    }
}

impl<const N: usize> nn_runtime::Layer for Weights<N> {
    fn forward(&self, _: &mut nn_runtime::LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        y.iter_mut().zip(x).zip(self.0.iter().cycle()).for_each(|((y, x), by)| *y = x * by);
    }
    fn backward_input(
        &self,
        _: &mut nn_runtime::LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        dx.iter_mut().zip(dy).zip(self.0.iter().cycle()).for_each(|((dx, dy), by)| *dx = dy * by);
    }
}

#[derive(Clone, Copy)]
struct Unit;

impl Unit {
    const fn new(_: [usize; 2]) -> Self {
        Unit
    }
    const fn rule(&self, [x]: [nn_runtime::Shape; 1]) -> nn_runtime::Rule {
        nn_runtime::LayerSpec::output(x).ok()
    }
}

impl nn_runtime::Layer for Unit {
    fn forward(&self, _: &mut nn_runtime::LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        y.copy_from_slice(x);
    }
    fn backward_input(
        &self,
        _: &mut nn_runtime::LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        dx.copy_from_slice(dy);
    }
}

network! {
    struct Given: [2] -> [2] {
        Weights([2.0, 3.0]) -> Unit([1, 2]) -> Weights::<2>([1.0, 2.0])
    }
}

#[test]
fn layers_are_given_arrays() {
    check(&mut model::<Given>(), &[2], &[2], |_, x| vec![vec![2.0 * x[0][0], 6.0 * x[0][1]]]);
}
