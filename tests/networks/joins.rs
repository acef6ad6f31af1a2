//! Forks and joins, several inputs, several outputs. In: declarations; out: nothing, or a panic.

use nn_runtime::prelude::*;

use crate::by_hand::{check, dense, model, product, sum, tanh};

network! {
    struct Residual: [4] -> [4] {
        let x = input;
        let y = x -> Dense(5) -> Tanh -> Dense(4);
        (x, y) -> Sum -> Tanh
    }
}

#[test]
fn a_residual_way() {
    check(&mut model::<Residual>(), &[4], &[4], |m, x| {
        let y = dense(m, "dense_2", &tanh(&dense(m, "dense_1", &x[0])));
        vec![tanh(&sum(&x[0], &y))]
    });
}

network! {
    struct Towers: (left: [3], right: [5]) -> [2] {
        let a = left -> Dense(4) -> Tanh;
        let b = right -> Dense(3) -> Tanh;
        (b, a) -> Concat -> top: Dense(2)
    }
}

#[test]
fn two_towers() {
    check(&mut model::<Towers>(), &[3, 5], &[2], |m, x| {
        let a = tanh(&dense(m, "dense_1", &x[0]));
        let b = tanh(&dense(m, "dense_2", &x[1]));
        vec![dense(m, "top", &[b, a].concat())]
    });
}

network! {
    struct Gate: (x: [3], by: [3]) -> (product: [3], size: [1]) {
        let gate = by -> Dense(3) -> Tanh;
        let product = (x, gate, x) -> Product;
        let size = (product, gate) -> Sum -> Dense(1);
    }
}

#[test]
fn an_output_that_is_read_too() {
    check(&mut model::<Gate>(), &[3, 3], &[3, 1], |m, x| {
        let gate = tanh(&dense(m, "dense_1", &x[1]));
        let all = product(&product(&x[0], &gate), &x[0]);
        let size = dense(m, "dense_2", &sum(&all, &gate));
        vec![all, size]
    });
}

network! {
    struct Chain: [3] -> (first: [4], second: [4], third: [2]) {
        let first = Dense(4) -> Tanh;
        let second = Dense(4) -> Tanh;
        let third = (second, first) -> Sum -> Dense(2);
    }
}

#[test]
fn outputs_along_a_chain() {
    check(&mut model::<Chain>(), &[3], &[4, 4, 2], |m, x| {
        let first = tanh(&dense(m, "dense_1", &x[0]));
        let second = tanh(&dense(m, "dense_2", &first));
        let third = dense(m, "dense_3", &sum(&first, &second));
        vec![first, second, third]
    });
}

network! {
    struct Fan: [3] -> [3] {
        let a = input -> Dense(3);
        let b = a -> Tanh;
        let c = (a, a) -> Product;
        let d = (c, b, a, a) -> Sum;
        (d, b) -> Sum
    }
}

#[test]
fn a_value_read_many_times() {
    check(&mut model::<Fan>(), &[3], &[3], |m, x| {
        let a = dense(m, "dense_1", &x[0]);
        let b = tanh(&a);
        let d = sum(&sum(&product(&a, &a), &b), &sum(&a, &a));
        vec![sum(&d, &b)]
    });
}

network! {
    struct Halves: [6] -> [6] {
        let (a, b) = Dense(6) -> Split(2);
        let c = (a, b) -> Product -> Tanh;
        (c, a) -> Concat
    }
}

#[test]
fn a_value_in_parts() {
    check(&mut model::<Halves>(), &[6], &[6], |m, x| {
        let y = dense(m, "dense_1", &x[0]);
        let (a, b) = y.split_at(3);
        vec![[&tanh(&product(a, b)), a].concat()]
    });
}

#[test]
fn gradients_refuse_what_does_not_fit() {
    let model = model::<Towers>();
    let refuses = |x: &[&[f32]], dy: &[&[f32]], words: &str| {
        let error = model.gradients(x, dy).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("\nhelp: "), "{error}");
    };
    refuses(&[&[0.0; 3]], &[&[0.0; 2]], "expected 2 input slices, found 1");
    refuses(&[&[0.0; 6], &[0.0; 7]], &[&[0.0; 4]], "expected whole samples of [5]");
    refuses(
        &[&[0.0; 6], &[0.0; 5]],
        &[&[0.0; 4]],
        "expected as many samples in every input, found 2 in the first and 1",
    );
    refuses(&[&[0.0; 3], &[0.0; 5]], &[], "expected 1 output slice, found 0");
    refuses(&[&[0.0; 3], &[0.0; 5]], &[&[0.0; 4]], "expected output gradients of 1 samples, as the input has, found 2");
    let none = model.gradients(&[&[], &[]], &[&[]]).unwrap();
    assert_eq!((none.inputs, none.params[0].1.len()), (vec![vec![]; 2], 12));
}
