//! `Permute`.

use nn_runtime::layers::Permute;
use nn_runtime::{Probe, Shape};
use nn_tests::fixtures::{Case, load};

use crate::harness::{against_cases, against_formula, fault};

fn axes<const R: usize>() {
    let of_rank = |case: &Case| case.inputs[0].shape.len() == R + 1;
    let cases: Vec<Case> = load("images/permute").into_iter().filter(of_rank).collect();
    let make =
        |case: &Case| Permute::new(core::array::from_fn::<usize, R, _>(|i| case.number(&format!("axis_{i}")) as usize));
    against_cases("images/permute", cases, make, Permute::rule, &[]);
}

#[test]
fn permute_is_pytorchs() {
    assert!(load("images/permute").iter().all(|case| (3..=5).contains(&case.inputs[0].shape.len())));
    axes::<2>();
    axes::<3>();
    axes::<4>();
}

#[test]
fn permute_is_its_formula() {
    against_formula(Permute::new([0]), Permute::rule, Shape::of([5]), 1.0, |x, _| x.to_vec());
    let [c, h, w] = [3, 17, 2];
    against_formula(Permute::new([1, 2, 0]), Permute::rule, Shape::of([c, h, w]), 1.0, |x, _| {
        let mut y = Vec::new();
        for at in 0..h * w {
            y.extend((0..c).map(|c| x[c * h * w + at]));
        }
        y
    });
    // All six dimensions, turned around.
    let dims: [usize; 6] = [2, 1, 3, 2, 3, 2];
    against_formula(Permute::new([5, 4, 3, 2, 1, 0]), Permute::rule, Shape::of(dims), 1.0, |x, _| {
        let mut y = vec![0.0; x.len()];
        for (at, x) in x.iter().enumerate() {
            let (mut rest, mut to, mut size): (_, _, usize) = (at, 0, dims.iter().product());
            for dim in dims.into_iter().rev() {
                size /= dim;
                to += rest % dim * size;
                rest /= dim;
            }
            y[to] = *x;
        }
        y
    });
}

#[test]
fn shapes_turn_with_the_numbers() {
    let probe = Probe::new(Permute::new([1, 2, 0]), Permute::rule, [Shape::of([3, 17, 2])]).unwrap();
    assert_eq!(probe.spec().output_shapes(), [Shape::of([17, 2, 3])]);
}

#[test]
fn faults_say_what_to_type() {
    let help =
        |axes: &str| format!("\nhelp: give all axes, from 0, in the order of the output, such as `Permute([{axes}])`");
    let x = Shape::of([3, 4, 5]);
    assert_eq!(
        fault(Permute::new([1, 0]), Permute::rule, x),
        format!("expected an input of as many dimensions as there are axes, 2, found [3, 4, 5]{}", help("2, 1, 0"))
    );
    assert_eq!(
        fault(Permute::new([3, 1, 2]), Permute::rule, x),
        format!("expected axes below 3, found 3{}", help("2, 1, 0"))
    );
    assert_eq!(
        fault(Permute::new([0, 1, 1]), Permute::rule, x),
        format!("expected each axis once, found 1 twice{}", help("2, 1, 0"))
    );
}
