//! `AdaptiveAvgPool2d`, `AdaptiveMaxPool2d`, and of steps `AdaptiveAvgPool1d` and `AdaptiveMaxPool1d`.

use nn_runtime::Shape;
use nn_runtime::layers::{AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveMaxPool1d, AdaptiveMaxPool2d};
use nn_tests::fixtures::{Case, load};

use crate::harness::{against_cases, against_formula, fault};
use crate::windows::{count, turned};

fn of_rank(cases: Vec<Case>, rank: usize) -> Vec<Case> {
    cases.into_iter().filter(|case| case.inputs[0].shape.len() == rank).collect()
}

#[test]
fn parts_are_pytorchs() {
    let sides = |case: &Case| [count(case, "size_0"), count(case, "size_1")];
    let steps = |case: &Case| count(case, "size_0");
    let file = "images/adaptive_avg_pool";
    let make = |case: &Case| AdaptiveAvgPool2d::new(1).size_hw(sides(case));
    against_cases(file, of_rank(load(file), 4), make, AdaptiveAvgPool2d::rule, &[]);
    let make = |case: &Case| AdaptiveAvgPool1d::new(steps(case));
    against_cases(file, of_rank(turned(file), 3), make, AdaptiveAvgPool1d::rule, &[]);
    let file = "images/adaptive_max_pool";
    let make = |case: &Case| AdaptiveMaxPool2d::new(1).size_hw(sides(case));
    against_cases(file, of_rank(load(file), 4), make, AdaptiveMaxPool2d::rule, &[]);
    let make = |case: &Case| AdaptiveMaxPool1d::new(steps(case));
    against_cases(file, of_rank(turned(file), 3), make, AdaptiveMaxPool1d::rule, &[]);
}

/// The places of each part of an axis.
fn parts(size: usize, n: usize) -> Vec<Vec<usize>> {
    let end = |o: usize| (size as f64 * (o + 1) as f64 / n as f64).ceil() as usize;
    (0..n).map(|o| ((size as f64 * o as f64 / n as f64).floor() as usize..end(o)).collect()).collect()
}

/// Each part of `[height, width]` numbers, `step` apart in memory, folded.
fn each(x: &[f64], [h, w]: [usize; 2], [oh, ow]: [usize; 2], fold: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut y = Vec::new();
    for rows in parts(h, oh) {
        for columns in parts(w, ow) {
            let part: Vec<f64> = rows.iter().flat_map(|i| columns.iter().map(move |j| x[i * w + j])).collect();
            y.push(fold(&part));
        }
    }
    y
}

#[test]
fn parts_are_their_formulas() {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let largest = |x: &[f64]| x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for ([h, w], [oh, ow]) in [([4, 6], [2, 3]), ([5, 7], [3, 4]), ([2, 3], [5, 3]), ([7, 5], [1, 2])] {
        let shape = Shape::of([2, h, w]);
        let of = |x: &[f64], fold: &dyn Fn(&[f64]) -> f64| {
            x.chunks(h * w).flat_map(|x| each(x, [h, w], [oh, ow], fold)).collect::<Vec<f64>>()
        };
        let layer = AdaptiveAvgPool2d::new(9).size_hw([oh, ow]);
        against_formula(layer, AdaptiveAvgPool2d::rule, shape, 1.0, |x, _| of(x, &mean));
        let layer = AdaptiveMaxPool2d::new(9).size_hw([oh, ow]);
        against_formula(layer, AdaptiveMaxPool2d::rule, shape, 1.0, |x, _| of(x, &largest));
        // Steps are rows, whose features lie side by side.
        let features = 17;
        let of = |x: &[f64], fold: &dyn Fn(&[f64]) -> f64| {
            let column = |f: usize| x.iter().skip(f).step_by(features).copied().collect::<Vec<f64>>();
            let columns: Vec<Vec<f64>> = (0..features).map(|f| each(&column(f), [w, 1], [ow, 1], fold)).collect();
            (0..ow).flat_map(|s| columns.iter().map(move |column| column[s])).collect::<Vec<f64>>()
        };
        let shape = Shape::of([w, features]);
        against_formula(AdaptiveAvgPool1d::new(ow), AdaptiveAvgPool1d::rule, shape, 1.0, |x, _| of(x, &mean));
        against_formula(AdaptiveMaxPool1d::new(ow), AdaptiveMaxPool1d::rule, shape, 1.0, |x, _| of(x, &largest));
    }
}

#[test]
fn faults_say_what_to_type() {
    let zero = "expected a size of at least 1, found 0\nhelp: give how many parts there are along an axis, such as 7";
    assert_eq!(fault(AdaptiveAvgPool2d::new(0), AdaptiveAvgPool2d::rule, Shape::of([2, 3, 4])), zero);
    assert_eq!(fault(AdaptiveMaxPool1d::new(0), AdaptiveMaxPool1d::rule, Shape::of([2, 3])), zero);
    assert_eq!(
        fault(AdaptiveMaxPool2d::new(1), AdaptiveMaxPool2d::rule, Shape::of([64])),
        "expected an input of [channels, height, width], found [64]\nhelp: put `Reshape([1, 8, 8])` before it"
    );
    fault(AdaptiveAvgPool2d::new(usize::MAX), AdaptiveAvgPool2d::rule, Shape::of([2, 3, 4]));
    fault(AdaptiveAvgPool1d::new(usize::MAX), AdaptiveAvgPool1d::rule, Shape::of([3, 4]));
    fault(AdaptiveMaxPool2d::new(3), AdaptiveMaxPool2d::rule, Shape::of([1, 1 << 20, 1 << 20]));
}
