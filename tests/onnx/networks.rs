//! What networks are made of: labels, copies, shared parameters, networks within networks, ports.

use nn_runtime::prelude::*;

use crate::Drawn::Numbers;
use crate::{drawn, export, kept};

network! { struct Block: [6] -> [6] { inner: Dense(6) -> Tanh } }
network! { struct Deep: [6] -> [6] { block: Block * 2; last: Dense(6) } }
network! {
    struct Copies: [6] -> [3] {
        first: Dense(6) * 3 -> Relu;
        deep: Deep;
        again: share(deep);
        once: share(first) -> head: Dense(3)
    }
}
network! {
    struct Ports: (left: [4], right: [4]) -> (sum: [4], kept: [4], doubled: [4]) {
        let sum = (left, right) -> Sum;
        let kept = left -> Dropout(0.5);
        let doubled = (sum, sum) -> Sum;
    }
}
network! {
    struct TwoEnds: [6] -> (a: [3], b: [3]) {
        let (a, b) = trunk: Dense(6) -> Split(2);
    }
}
network! { struct Through: (x: [4], y: [2]) -> [6] { (x, y) -> Concat } }
network! {
    struct Outer: (x: [4], y: [2]) -> (head: [3], again: [3]) {
        let joined = (x, y) -> Through;
        let (a, b) = joined -> ends: TwoEnds;
        let head = a -> head: Dense(3);
        let again = b -> share(head);
    }
}
network! { struct Taken: (x: [4]) -> (hidden: [4]) { let hidden = hidden: Dense(4) -> Relu; } }

#[test]
fn files_are_those_that_are_kept() {
    let mut text = String::new();
    text += &export("networks_copies", &drawn::<Copies>(), &[Numbers(6)], &[3]);
    text += "\n";
    text += &export("networks_ports", &drawn::<Ports>(), &[Numbers(4), Numbers(4)], &[4, 4, 4]);
    text += "\n";
    text += &export("networks_outer", &drawn::<Outer>(), &[Numbers(4), Numbers(2)], &[3, 3]);
    text += "\n";
    text += &export("networks_taken", &drawn::<Taken>(), &[Numbers(4)], &[4]);
    text += "\n";
    kept("networks", &text);
}

/// Parameters are in the file under their own names, as they are saved.
#[test]
fn parameters_keep_their_names_and_shapes() {
    let model = drawn::<Copies>();
    let text = nn_cli::inspect::onnx(&model.to_onnx()).unwrap();
    for tensor in model.tensors() {
        let line = format!("{}: float {:?}", tensor.name, tensor.shape.as_slice());
        assert_eq!(text.matches(&line).count(), 1, "{line}");
    }
}
