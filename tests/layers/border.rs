//! `ReflectionPad2d`, `ReplicationPad2d`, `CircularPad2d`, and of steps `ZeroPad1d`, `ReflectionPad1d`,
//! `ReplicationPad1d`, `CircularPad1d`.

use nn_runtime::Shape;
use nn_runtime::layers::{
    CircularPad1d, CircularPad2d, ReflectionPad1d, ReflectionPad2d, ReplicationPad1d, ReplicationPad2d, ZeroPad1d,
};
use nn_tests::fixtures::{Case, load};

use crate::harness::{against_cases, against_formula, fault};
use crate::windows::{count, turned};

fn of_mode(cases: Vec<Case>, mode: &str) -> Vec<Case> {
    cases.into_iter().filter(|case| case.word("mode") == mode).collect()
}

/// PyTorch's cases of a mode, for a layer of images and one of steps.
macro_rules! of_both {
    ($mode:literal, $images:ident, $steps:ident) => {
        let framed = |case: &Case| {
            let pad = $images::new(9).top(count(case, "top")).bottom(count(case, "bottom"));
            pad.left(count(case, "left")).right(count(case, "right"))
        };
        against_cases("images/border2d", of_mode(load("images/border2d"), $mode), framed, $images::rule, &[]);
        let ended = |case: &Case| $steps::new(9).before(count(case, "before")).after(count(case, "after"));
        against_cases("images/border1d", of_mode(turned("images/border1d"), $mode), ended, $steps::rule, &[]);
    };
}

#[test]
fn borders_are_pytorchs() {
    of_both!("reflect", ReflectionPad2d, ReflectionPad1d);
    of_both!("replicate", ReplicationPad2d, ReplicationPad1d);
    of_both!("circular", CircularPad2d, CircularPad1d);
    let zeros = |case: &Case| ZeroPad1d::new(9).before(count(case, "before")).after(count(case, "after"));
    against_cases("images/border1d", of_mode(turned("images/border1d"), "constant"), zeros, ZeroPad1d::rule, &[]);
}

/// Where place `at` of a line comes from, as many places from the first of `size` as it says, below 0 before
/// it.
type From = fn(i64, i64) -> Option<i64>;

const ZERO: From = |at, size| (0..size).contains(&at).then_some(at);
// There and back again, for ever.
const REFLECT: From = |at, size| {
    let there = at.rem_euclid((2 * size - 2).max(1));
    Some(if there < size { there } else { 2 * size - 2 - there })
};
const HOLD: From = |at, size| Some(at.clamp(0, size - 1));
const AROUND: From = |at, size| Some(at.rem_euclid(size));

/// The images of `x`, `[height, width]` each, with `sides` above, below, left and right.
fn framed(x: &[f64], [h, w]: [i64; 2], [top, bottom, left, right]: [i64; 4], from: From) -> Vec<f64> {
    let mut y = Vec::new();
    for x in x.chunks((h * w) as usize) {
        for i in -top..h + bottom {
            for j in -left..w + right {
                y.push(match (from(i, h), from(j, w)) {
                    (Some(i), Some(j)) => x[(i * w + j) as usize],
                    _ => 0.0,
                });
            }
        }
    }
    y
}

#[test]
fn borders_are_their_formulas() {
    for [c, h, w] in [[1, 3, 2], [2, 3, 9], [3, 5, 2]] {
        let (x, sides) = (Shape::of([c, h, w]), [2, 1, 0, 1]);
        let size = [h as i64, w as i64];
        let pad = ReflectionPad2d::new(1).top(2).left(0);
        against_formula(pad, ReflectionPad2d::rule, x, 1.0, |x, _| framed(x, size, sides, REFLECT));
        let pad = ReplicationPad2d::new(4).top(2).left(0);
        against_formula(pad, ReplicationPad2d::rule, x, 1.0, |x, _| framed(x, size, [2, 4, 0, 4], HOLD));
        let pad = CircularPad2d::new(1).top(2).left(0);
        against_formula(pad, CircularPad2d::rule, x, 1.0, |x, _| framed(x, size, sides, AROUND));
        // A sequence is an image of its own.
        let (x, steps) = (Shape::of([h, w]), [2, 1, 0, 0]);
        against_formula(ZeroPad1d::new(2).after(1), ZeroPad1d::rule, x, 1.0, |x, _| framed(x, size, steps, ZERO));
        let pad = ReflectionPad1d::new(2).after(1);
        against_formula(pad, ReflectionPad1d::rule, x, 1.0, |x, _| framed(x, size, steps, REFLECT));
        let pad = ReplicationPad1d::new(2).after(1);
        against_formula(pad, ReplicationPad1d::rule, x, 1.0, |x, _| framed(x, size, steps, HOLD));
        let pad = CircularPad1d::new(2).after(1);
        against_formula(pad, CircularPad1d::rule, x, 1.0, |x, _| framed(x, size, steps, AROUND));
    }
}

#[test]
fn faults_say_what_to_type() {
    assert_eq!(
        fault(ReflectionPad2d::new(3), ReflectionPad2d::rule, Shape::of([2, 3, 9])),
        "expected at most 2 rows around 3, as the edge itself is not reflected, found 3\n\
         help: use `top = 2` or less, or `ReplicationPad2d`, which takes any number"
    );
    assert_eq!(
        fault(CircularPad2d::new(1).right(5), CircularPad2d::rule, Shape::of([2, 3, 4])),
        "expected at most 4 columns around 4, as there are no more to go around, found 5\n\
         help: use `right = 4` or less, or `ReplicationPad2d`, which takes any number"
    );
    assert_eq!(
        fault(ReflectionPad1d::new(0).after(1), ReflectionPad1d::rule, Shape::of([1, 4])),
        "expected at most 0 steps around 1, as the edge itself is not reflected, found 1\n\
         help: use `after = 0` or less, or `ReplicationPad1d`, which takes any number"
    );
    assert_eq!(
        fault(CircularPad2d::new(1), CircularPad2d::rule, Shape::of([5, 8])),
        "expected an input of [channels, height, width], found [5, 8]\nhelp: put `Reshape([1, 5, 8])` before it"
    );
    assert_eq!(
        fault(ZeroPad1d::new(1), ZeroPad1d::rule, Shape::of([5])),
        "expected an input of [steps, features], found [5]\nhelp: put `Reshape([5, 1])` before it"
    );
    for shape in [Shape::of([1, 0, 4]), Shape::of([1, 2, 2])] {
        fault(ReplicationPad2d::new(usize::MAX), ReplicationPad2d::rule, shape);
        fault(ReflectionPad2d::new(usize::MAX), ReflectionPad2d::rule, shape);
    }
    fault(ZeroPad1d::new(usize::MAX), ZeroPad1d::rule, Shape::of([2, 2]));
}
