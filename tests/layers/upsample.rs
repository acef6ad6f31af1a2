//! `Upsample`.

use nn_runtime::layers::{Upsample, UpsampleMode};
use nn_runtime::{Probe, Shape};

use crate::harness::{against_formula, against_pytorch, fault};

#[test]
fn upsample_is_pytorchs() {
    let make = |case: &nn_tests::fixtures::Case| {
        let mode = match case.word("mode") {
            "nearest" => UpsampleMode::Nearest,
            "bilinear" => UpsampleMode::Bilinear,
            mode => panic!("{mode}"),
        };
        let scale = ["scale_h", "scale_w"].map(|scale| case.number(scale) as usize);
        let layer = Upsample::new(scale[0]).mode(mode);
        if scale[0] == scale[1] { layer } else { layer.scale_hw(scale) }
    };
    against_pytorch("images/upsample", make, Upsample::rule, &[]);
}

/// What PyTorch's documentation says, one axis after the other: the weights with which a place takes from
/// each pixel.
fn weights(size: usize, scale: usize, mode: UpsampleMode) -> Vec<Vec<f64>> {
    let place = |at: usize| {
        let mut row = vec![0.0; size];
        if mode == UpsampleMode::Nearest {
            row[at / scale] = 1.0;
            return row;
        }
        let centre = ((at as f64 + 0.5) / scale as f64 - 0.5).clamp(0.0, (size - 1) as f64);
        let before = centre.floor() as usize;
        row[before] += 1.0 - centre.fract();
        row[(before + 1).min(size - 1)] += centre.fract();
        row
    };
    (0..size * scale).map(place).collect()
}

#[test]
fn upsample_is_its_formula() {
    for ([c, h, w], [rows, columns]) in [([1, 1, 1], [5, 1]), ([2, 2, 5], [4, 5]), ([2, 5, 3], [1, 4])] {
        for mode in [UpsampleMode::Nearest, UpsampleMode::Bilinear] {
            let (down, across) = (weights(h, rows, mode), weights(w, columns, mode));
            let layer = Upsample::new(1).scale_hw([rows, columns]).mode(mode);
            against_formula(layer, Upsample::rule, Shape::of([c, h, w]), 1.0, |x, _| {
                let mut y = Vec::new();
                for x in x.chunks(h * w) {
                    for down in &down {
                        for across in &across {
                            let of = |i: usize, j: usize| down[i] * across[j] * x[i * w + j];
                            y.push((0..h).flat_map(|i| (0..w).map(move |j| (i, j))).map(|(i, j)| of(i, j)).sum());
                        }
                    }
                }
                y
            });
        }
    }
}

/// A pixel of weight 0 takes no part: 0 times a NaN would be one.
#[test]
fn what_is_not_finite_reaches_only_what_is_made_of_it() {
    for ([h, w], scale) in [([1, 1], [1, 1]), ([3, 4], [1, 1]), ([3, 4], [3, 3]), ([2, 5], [1, 3]), ([4, 2], [2, 5])] {
        let (down, across) =
            (weights(h, scale[0], UpsampleMode::Bilinear), weights(w, scale[1], UpsampleMode::Bilinear));
        for odd in [f32::NAN, f32::INFINITY] {
            for at in 0..h * w {
                let mut x: Vec<f32> = (0..h * w).map(|i| i as f32).collect();
                x[at] = odd;
                let layer = Upsample::new(1).scale_hw(scale).mode(UpsampleMode::Bilinear);
                let probe = Probe::new(layer, Upsample::rule, [Shape::of([1, h, w])]).unwrap();
                let [y] = probe.forward(1, [&x]);
                for (n, y) in y.iter().enumerate() {
                    let (row, column) = (n / (w * scale[1]), n % (w * scale[1]));
                    let reached = down[row][at / w] != 0.0 && across[column][at % w] != 0.0;
                    assert_eq!(!y.is_finite(), reached, "{h} x {w}, {scale:?}: pixel {at} at {n} is {y}");
                }
            }
        }
    }
}

#[test]
fn faults_say_what_to_type() {
    let expected = "expected a scale of at least 1, found 0\n\
                    help: give how many times as large the image becomes, such as `Upsample(2)`";
    assert_eq!(fault(Upsample::new(0), Upsample::rule, Shape::of([1, 2, 3])), expected);
    assert_eq!(fault(Upsample::new(2).scale_hw([2, 0]), Upsample::rule, Shape::of([1, 2, 3])), expected);
    assert_eq!(
        fault(Upsample::new(2), Upsample::rule, Shape::of([12])),
        "expected an input of [channels, height, width], found [12]\n\
         help: put `Reshape([channels, height, width])` before it"
    );
    let text = fault(Upsample::new(usize::MAX), Upsample::rule, Shape::of([1, 2, 2]));
    assert!(text.starts_with("expected sizes that fit into memory"), "{text}");
}
