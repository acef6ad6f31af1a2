//! `ZeroPad2d` and `Crop2d`.

use nn_runtime::Shape;
use nn_runtime::layers::{Crop2d, ZeroPad2d};

use crate::harness::{against_formula, against_pytorch, fault};

#[test]
fn both_are_pytorchs() {
    let side = |case: &nn_tests::fixtures::Case, side: &str| case.number(side) as usize;
    let pad = |case: &_| {
        let pad = ZeroPad2d::new(9).top(side(case, "top")).bottom(side(case, "bottom"));
        pad.left(side(case, "left")).right(side(case, "right"))
    };
    against_pytorch("images/zero_pad", pad, ZeroPad2d::rule, &[]);
    let crop = |case: &_| {
        let crop = Crop2d::new(9).top(side(case, "top")).bottom(side(case, "bottom"));
        crop.left(side(case, "left")).right(side(case, "right"))
    };
    against_pytorch("images/crop", crop, Crop2d::rule, &[]);
}

/// The images of `x`, `[height, width]` each, as `image(row, column)` over `to` of them.
fn each(x: &[f64], [h, w]: [usize; 2], to: [usize; 2], from: impl Fn(usize, usize) -> Option<[usize; 2]>) -> Vec<f64> {
    let pixel = |x: &[f64], i, j| from(i, j).filter(|[i, j]| *i < h && *j < w).map_or(0.0, |[i, j]| x[i * w + j]);
    let image = |x: &[f64]| (0..to[0] * to[1]).map(|at| pixel(x, at / to[1], at % to[1])).collect::<Vec<_>>();
    x.chunks(h * w).flat_map(image).collect()
}

#[test]
fn both_are_their_formulas() {
    for [c, h, w] in [[1, 1, 1], [2, 2, 9], [2, 5, 3]] {
        against_formula(ZeroPad2d::new(2).left(0), ZeroPad2d::rule, Shape::of([c, h, w]), 1.0, |x, _| {
            each(x, [h, w], [h + 4, w + 2], |i, j| Some([i.checked_sub(2)?, j]))
        });
        against_formula(Crop2d::new(1).right(3), Crop2d::rule, Shape::of([c, h + 2, w + 4]), 1.0, |x, _| {
            each(x, [h + 2, w + 4], [h, w], |i, j| Some([i + 1, j + 1]))
        });
    }
}

#[test]
fn faults_say_what_to_type() {
    let expected = "expected an input of [channels, height, width], found ";
    for (shape, help) in [
        (Shape::of([784]), "[784]\nhelp: put `Reshape([1, 28, 28])` before it"),
        (Shape::of([10]), "[10]\nhelp: put `Reshape([channels, height, width])` before it"),
        (Shape::of([5, 8]), "[5, 8]\nhelp: put `Reshape([1, 5, 8])` before it"),
        (Shape::of([1, 1, 2, 2]), "[1, 1, 2, 2]\nhelp: a shape is that of one sample: leave the batch out, [1, 2, 2]"),
    ] {
        assert_eq!(fault(ZeroPad2d::new(1), ZeroPad2d::rule, shape), format!("{expected}{help}"));
        assert_eq!(fault(Crop2d::new(1), Crop2d::rule, shape), format!("{expected}{help}"));
    }
    assert_eq!(
        fault(Crop2d::new(2), Crop2d::rule, Shape::of([3, 4, 9])),
        "expected an image of more than 4 rows and 4 columns, as are cut off, found [3, 4, 9]\n\
         help: cut off at most 3 rows, `top` and `bottom` together"
    );
    assert_eq!(
        fault(Crop2d::new(2).left(7), Crop2d::rule, Shape::of([3, 5, 9])),
        "expected an image of more than 4 rows and 9 columns, as are cut off, found [3, 5, 9]\n\
         help: cut off at most 8 columns, `left` and `right` together"
    );
    let text = fault(ZeroPad2d::new(usize::MAX), ZeroPad2d::rule, Shape::of([1, 2, 2]));
    assert!(text.starts_with("expected sizes that fit into memory"), "{text}");
    fault(Crop2d::new(usize::MAX), Crop2d::rule, Shape::of([1, 2, 2]));
}
