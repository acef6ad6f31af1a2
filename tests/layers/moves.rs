//! `Flatten` and `Reshape`: every number arrives, and every gradient goes back.

use nn_runtime::layers::{Flatten, Reshape};
use nn_runtime::{Isa, Probe, Shape};
use nn_tests::numbers::numbers;

use crate::harness::{BATCHES, fault};

fn check<L: nn_runtime::Layer>(probe: Probe<L>, len: usize, to: Shape) {
    assert_eq!(probe.spec().output_shapes(), [to]);
    for isa in Isa::available() {
        for batch in BATCHES {
            let (x, dy) = (numbers(1, batch * len, 1.0), numbers(2, batch * len, 1.0));
            assert_eq!(probe.forward(batch, [&x])[0], x, "{}", isa.name());
            assert_eq!(probe.gradients(batch, [&x], [&dy]).inputs[0], dy, "{}", isa.name());
            probe.check_contract(batch, [&x], [&dy]).unwrap();
        }
    }
}

#[test]
fn flatten() {
    for shape in [Shape::of([5]), Shape::of([3, 5]), Shape::of([2, 3, 5]), Shape::of([1, 1, 1, 1, 1, 7])] {
        check(Probe::new(Flatten::new(), Flatten::rule, [shape]).unwrap(), shape.len(), Shape::of([shape.len()]));
    }
}

#[test]
fn reshape() {
    let probe = Probe::new(Reshape::new([5, 3, 2]), Reshape::rule, [Shape::of([30])]).unwrap();
    check(probe, 30, Shape::of([5, 3, 2]));
    let probe = Probe::new(Reshape::new([30]), Reshape::rule, [Shape::of([2, 15])]).unwrap();
    check(probe, 30, Shape::of([30]));
}

#[test]
fn faults_say_what_to_type() {
    assert_eq!(
        fault(Reshape::new([4, 2]), Reshape::rule, Shape::of([3, 3])),
        "expected a shape of 9 numbers, as the input [3, 3] has, found [4, 2] of 8\n\
         help: give dimensions whose product is 9, such as `Reshape([3, 3])`"
    );
    assert_eq!(
        fault(Reshape::new([1; 7]), Reshape::rule, Shape::of([1])),
        "expected 1 to 6 dimensions, found 7\nhelp: give them as in `Reshape([1, 28, 28])`"
    );
    let text = fault(Reshape::new([usize::MAX, 2]), Reshape::rule, Shape::of([8]));
    assert!(text.starts_with("expected sizes that fit into memory"), "{text}");
}
