//! `Split`: every number goes to one part, and every gradient comes back from it.

use nn_runtime::layers::Split;
use nn_runtime::{Isa, Probe, Rule, Shape};
use nn_tests::fixtures::{Case, load};
use nn_tests::numbers::numbers;

use crate::harness::BATCHES;
use crate::ports::against_case;

fn sizes<const M: usize>(case: &Case) -> [usize; M] {
    std::array::from_fn(|j| case.number(&format!("size_{j}")) as usize)
}

#[test]
fn against_pytorch() {
    for case in load("images/split") {
        let parts = case.number("parts") as usize;
        let layer = Split::new(parts).axis(case.number("axis") as usize);
        match parts {
            2 => against_case::<1, 2, _>(&case, layer.sizes(sizes::<2>(&case)), Split::rule),
            3 => against_case::<1, 3, _>(&case, layer.sizes(sizes::<3>(&case)), Split::rule),
            n => panic!("{}: {n} parts", case.name),
        }
    }
}

#[test]
fn equal_parts() {
    for (axis, shape) in [(0, [4, 3, 5]), (1, [3, 4, 5]), (2, [3, 5, 4])] {
        for isa in Isa::available() {
            for batch in BATCHES {
                let probe = Probe::<_, 1, 4>::new(Split::new(4).axis(axis), Split::rule, [Shape::of(shape)]).unwrap();
                let probe = probe.isa(isa);
                assert_eq!(probe.spec().output_shapes(), [Shape::of(shape).with_dim(axis, 1); 4]);
                let x = numbers(1, batch * 60, 1.0);
                // In rows of the axis and what follows it, part j is the j-th quarter.
                let row: usize = shape[axis..].iter().product();
                let parts: [Vec<f32>; 4] = std::array::from_fn(|j| {
                    x.chunks(row).flat_map(|row| row[j * row.len() / 4..(j + 1) * row.len() / 4].to_vec()).collect()
                });
                assert_eq!(probe.forward(batch, [&x]), parts);
                let dy = parts.each_ref().map(|part| &part[..]);
                assert_eq!(probe.gradients(batch, [&x], dy).inputs[0], x);
                probe.check_contract(batch, [&x], dy).unwrap();
            }
        }
    }
}

#[test]
fn cuts_that_do_not_fit_are_refused() {
    let says = |rule: Rule, text: &str| assert_eq!(rule.fault().expect("a fault").as_str(), text);
    let x = [Shape::of([7, 4])];
    says(Split::new(1).rule(x), "expected 2 to 4 parts, found 1\nhelp: write `let (a, b) = x -> Split(2)`");
    says(Split::new(5).rule(x), "expected 2 to 4 parts, found 5\nhelp: write `let (a, b) = x -> Split(2)`");
    says(
        Split::new(3).rule(x),
        "expected an axis of a multiple of 3, found 7 in [7, 4]\n\
         help: say how long each part is, such as `Split(3, sizes = [3, 2, 2])`",
    );
    says(
        Split::new(3).rule([Shape::of([2])]),
        "expected an axis of a multiple of 3, found 2 in [2]\nhelp: split another axis, or make this one longer",
    );
    says(
        Split::new(2).sizes([3, 2, 2]).rule(x),
        "expected as many sizes as parts, 2, found 3\nhelp: write `Split(3, …)`, or give 2 sizes",
    );
    says(
        Split::new(2).sizes([3, 5]).rule(x),
        "expected sizes that sum to 7, axis 0 of [7, 4], found 8\nhelp: change the sizes so that their sum is 7",
    );
    says(
        Split::new(2).axis(2).rule(x),
        "expected an axis below 2, the dimensions of [7, 4], found 2\n\
         help: use `axis = 1` or less; axes are counted from 0, without the batch",
    );
    let empty = Split::new(2).sizes([0, 7]).rule(x).fault().unwrap();
    assert!(empty.as_str().starts_with("expected an output of at least one number, found [0, 4]"), "{empty:?}");
}
