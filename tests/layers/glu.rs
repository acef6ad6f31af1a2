//! `Glu`: halves along any axis.

use nn_runtime::Shape;
use nn_runtime::layers::Glu;

use crate::harness::{against_formula, against_pytorch, fault};

#[test]
fn glu() {
    against_pytorch("images/glu", |case| Glu::new().axis(case.number("axis") as usize), Glu::rule, &[]);
    for (layer, shape, half) in [
        (Glu::new(), Shape::of([34]), 17),
        (Glu::new(), Shape::of([3, 10]), 5),
        (Glu::new().axis(1), Shape::of([3, 4, 7]), 14),
        (Glu::new().axis(0), Shape::of([2, 3, 7]), 21),
    ] {
        against_formula(layer, Glu::rule, shape, 4.0, |x, _| {
            let row = |x: &[f64]| (0..half).map(|i| x[i] / (1.0 + (-x[half + i]).exp())).collect::<Vec<_>>();
            x.chunks(2 * half).flat_map(row).collect()
        });
    }
}

#[test]
fn odd_axes_are_refused() {
    assert_eq!(
        fault(Glu::new(), Glu::rule, Shape::of([4, 7])),
        "expected an even axis 1, to cut in halves, found 7 in [4, 7]\n\
         help: make the layer before it give 6 or 8 there, twice what is wanted here"
    );
    assert!(fault(Glu::new().axis(2), Glu::rule, Shape::of([4, 7])).starts_with("expected an axis below 2"));
}
