//! `Resize`.

use nn_runtime::layers::{Resize, UpsampleMode};
use nn_runtime::{Probe, Shape};
use nn_tests::fixtures::Case;

use crate::harness::{against_formula, against_pytorch, fault};
use crate::windows::{count, hw};

#[test]
fn resize_is_pytorchs() {
    let make = |case: &Case| {
        let mode = match case.word("mode") {
            "nearest" => UpsampleMode::Nearest,
            "bilinear" => UpsampleMode::Bilinear,
            mode => panic!("{mode}"),
        };
        Resize::new(1).size_hw(hw(case, "size")).mode(mode).align_corners(count(case, "align_corners") == 1)
    };
    against_pytorch("images/resize", make, Resize::rule, &[]);
}

/// How a place is mixed of the pixels of an axis, as the documentation says it.
fn weights(size: usize, to: usize, mode: UpsampleMode, align: bool) -> Vec<Vec<f64>> {
    let place = |o: usize| {
        let mut row = vec![0.0; size];
        let at = match (mode, align) {
            (UpsampleMode::Nearest, _) => (o * size / to) as f64,
            (_, true) => o as f64 * (size - 1) as f64 / (to - 1).max(1) as f64,
            (_, false) => ((o as f64 + 0.5) * size as f64 / to as f64 - 0.5).clamp(0.0, (size - 1) as f64),
        };
        let before = at.floor() as usize;
        row[before] += 1.0 - at.fract();
        row[(before + 1).min(size - 1)] += at.fract();
        row
    };
    (0..to).map(place).collect()
}

#[test]
fn resize_is_its_formula() {
    for ([c, h, w], to) in [([1, 1, 1], [4, 2]), ([2, 2, 5], [3, 7]), ([1, 5, 4], [2, 1]), ([1, 3, 3], [1, 8])] {
        for (mode, align) in
            [(UpsampleMode::Nearest, false), (UpsampleMode::Bilinear, false), (UpsampleMode::Bilinear, true)]
        {
            let (down, across) = (weights(h, to[0], mode, align), weights(w, to[1], mode, align));
            let layer = Resize::new(9).size_hw(to).mode(mode).align_corners(align);
            against_formula(layer, Resize::rule, Shape::of([c, h, w]), 1.0, |x, _| {
                let mut y = Vec::new();
                for x in x.chunks(h * w) {
                    for (down, across) in down.iter().flat_map(|down| across.iter().map(move |across| (down, across))) {
                        let of = |at: usize| down[at / w] * across[at % w] * x[at];
                        y.push((0..h * w).map(of).sum());
                    }
                }
                y
            });
        }
    }
}

/// The fraction counts, not its rounding: PyTorch's takes the first of two pixels 42 times here.
#[test]
fn pixels_are_shared_out_evenly() {
    for size in [82, 94, 110] {
        let probe = Probe::new(Resize::new(1).size_hw([1, size]), Resize::rule, [Shape::of([1, 1, 2])]).unwrap();
        let [y] = probe.forward(1, [&[0.0, 1.0]]);
        assert_eq!(y.iter().sum::<f32>(), size as f32 / 2.0);
    }
}

/// A pixel of weight 0 takes no part: 0 times a NaN would be one.
#[test]
fn what_is_not_finite_reaches_only_what_is_made_of_it() {
    let layer = Resize::new(1).size_hw([5, 5]).mode(UpsampleMode::Bilinear).align_corners(true);
    let probe = Probe::new(layer, Resize::rule, [Shape::of([1, 3, 3])]).unwrap();
    let mut x = [1.0; 9];
    x[4] = f32::NAN;
    let [y] = probe.forward(1, [&x]);
    for (at, y) in y.iter().enumerate() {
        let near = (1..4).contains(&(at / 5)) && (1..4).contains(&(at % 5));
        assert_eq!(y.is_nan(), near, "place {at}");
    }
}

#[test]
fn faults_say_what_to_type() {
    let x = Shape::of([2, 3, 4]);
    assert_eq!(
        fault(Resize::new(0), Resize::rule, x),
        "expected a size of at least 1, found 0\n\
         help: give how many rows and columns the image becomes, such as `Resize(14)`"
    );
    assert_eq!(
        fault(Resize::new(5).align_corners(true), Resize::rule, x),
        "expected corners to be aligned between pixels, found `mode = Nearest`\n\
         help: use `mode = Bilinear`, or leave `align_corners` out"
    );
    assert_eq!(
        fault(Resize::new(5), Resize::rule, Shape::of([5, 8])),
        "expected an input of [channels, height, width], found [5, 8]\nhelp: put `Reshape([1, 5, 8])` before it"
    );
    fault(Resize::new(usize::MAX), Resize::rule, x);
}
