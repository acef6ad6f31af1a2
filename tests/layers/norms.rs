//! `LayerNorm`, `RmsNorm`, `GroupNorm`, `InstanceNorm`: normalisations of one sample at a time.

use nn_runtime::layers::{GroupNorm, InstanceNorm, LayerNorm, RmsNorm};
use nn_runtime::{Isa, Probe, Shape};
use nn_tests::numbers::numbers;

use crate::harness::{against_formula, against_pytorch, fault};

const PARAMS: &[&str] = &["weight", "bias"];

/// Mean 0 and deviation 1 over `n` numbers at a time; weight and bias `p` of a row's element `e` where `index` says.
fn normalised(
    x: &[f64],
    n: usize,
    eps: f64,
    centred: bool,
    params: &[Vec<f64>],
    index: impl Fn(usize) -> usize,
) -> Vec<f64> {
    let mut y = Vec::new();
    for (r, row) in x.chunks(n).enumerate() {
        let mean = if centred { row.iter().sum::<f64>() / n as f64 } else { 0.0 };
        let var = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
        for (i, x) in row.iter().enumerate() {
            let p = |k: usize, default: f64| params.get(k).map_or(default, |param| param[index(r * n + i)]);
            y.push((x - mean) / (var + eps).sqrt() * p(0, 1.0) + p(1, 0.0));
        }
    }
    y
}

#[test]
fn layer_norm() {
    against_pytorch(
        "images/layer_norm",
        |case| {
            LayerNorm::new()
                .axes(case.number("axes") as usize)
                .eps(case.number("eps") as f32)
                .affine(case.number("affine") == 1.0)
                .bias(case.number("bias") == 1.0)
        },
        LayerNorm::rule,
        PARAMS,
    );
    let eps = f64::from(1e-5f32);
    for (shape, axes, n) in [
        (Shape::of([33]), 1, 33),
        (Shape::of([3, 19]), 1, 19),
        (Shape::of([3, 19]), 2, 57),
        (Shape::of([2, 3, 7]), 2, 21),
    ] {
        let layer = LayerNorm::new().axes(axes);
        against_formula(layer, LayerNorm::rule, shape, 2.0, |x, params| normalised(x, n, eps, true, params, |e| e % n));
        against_formula(layer.affine(false), LayerNorm::rule, shape, 2.0, |x, params| {
            normalised(x, n, eps, true, params, |e| e % n)
        });
    }
}

#[test]
fn rms_norm() {
    against_pytorch(
        "images/rms_norm",
        |case| {
            RmsNorm::new()
                .axes(case.number("axes") as usize)
                .eps(case.number("eps") as f32)
                .affine(case.number("affine") == 1.0)
        },
        RmsNorm::rule,
        PARAMS,
    );
    let eps = f64::from(1e-6f32);
    for (shape, axes, n) in [(Shape::of([33]), 1, 33), (Shape::of([3, 19]), 2, 57), (Shape::of([2, 3, 7]), 1, 7)] {
        against_formula(RmsNorm::new().axes(axes), RmsNorm::rule, shape, 2.0, |x, params| {
            normalised(x, n, eps, false, params, |e| e % n)
        });
    }
}

#[test]
fn group_norm() {
    against_pytorch(
        "images/group_norm",
        |case| {
            GroupNorm::new(case.number("groups") as usize)
                .eps(case.number("eps") as f32)
                .affine(case.number("affine") == 1.0)
        },
        GroupNorm::rule,
        PARAMS,
    );
    let eps = f64::from(1e-5f32);
    for (shape, groups) in [(Shape::of([38]), 2), (Shape::of([6, 3, 7]), 3), (Shape::of([4, 1, 17]), 1)] {
        let (n, inner, channels) = (shape.len() / groups, shape.len() / shape.dim(0), shape.dim(0));
        against_formula(GroupNorm::new(groups), GroupNorm::rule, shape, 2.0, |x, params| {
            normalised(x, n, eps, true, params, |e| e / inner % channels)
        });
    }
    // More than a cache line of channels, so that weights are asked for in parts.
    let shape = Shape::of([40, 3]);
    against_formula(GroupNorm::new(8), GroupNorm::rule, shape, 2.0, |x, params| {
        normalised(x, 15, eps, true, params, |e| e / 3 % 40)
    });
}

#[test]
fn instance_norm() {
    against_pytorch(
        "images/instance_norm",
        |case| InstanceNorm::new().eps(case.number("eps") as f32).affine(case.number("affine") == 1.0),
        InstanceNorm::rule,
        PARAMS,
    );
    let eps = f64::from(1e-5f32);
    let shape = Shape::of([3, 5, 7]);
    against_formula(InstanceNorm::new().affine(true), InstanceNorm::rule, shape, 2.0, |x, params| {
        normalised(x, 35, eps, true, params, |e| e / 35 % 3)
    });
}

/// A sum of many numbers far from 0 keeps its digits.
#[test]
fn long_rows_far_from_zero() {
    let x: Vec<f32> = numbers(3, 10_007, 1.0).iter().map(|x| 100.0 + x).collect();
    let n = x.len() as f64;
    let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let var = x.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
    for isa in Isa::available() {
        let probe = Probe::new(LayerNorm::new(), LayerNorm::rule, [Shape::of([x.len()])]).unwrap().isa(isa);
        let [y] = probe.forward(1, [&x]);
        for (x, y) in x.iter().zip(&y) {
            let truth = (f64::from(*x) - mean) / (var + 1e-5).sqrt();
            // The mean is an `f32` of size 100.
            assert!((f64::from(*y) - truth).abs() < 2e-5, "{}: {y} instead of {truth}", isa.name());
        }
    }
}

#[test]
fn arguments_out_of_range_are_refused() {
    let x = Shape::of([6, 4]);
    assert_eq!(
        fault(LayerNorm::new().eps(0.0), LayerNorm::rule, x),
        "expected an eps above 0, found 0\nhelp: give one such as `eps = 1e-5`"
    );
    assert!(fault(RmsNorm::new().eps(f32::NAN), RmsNorm::rule, x).contains("found NaN"));
    for axes in [0, 3] {
        assert_eq!(
            fault(LayerNorm::new().axes(axes), LayerNorm::rule, x),
            format!(
                "expected 1 to 2 axes, the dimensions of [6, 4], found {axes}\n\
                 help: give the number of last dimensions to normalise together, such as `axes = 1`"
            )
        );
    }
    assert_eq!(
        fault(GroupNorm::new(4), GroupNorm::rule, x),
        "expected groups that divide the 6 channels of [6, 4], found 4\nhelp: write `GroupNorm(3)`"
    );
    assert!(fault(GroupNorm::new(0), GroupNorm::rule, x).ends_with("found 0\nhelp: write `GroupNorm(1)`"));
    assert_eq!(
        fault(InstanceNorm::new(), InstanceNorm::rule, Shape::of([6])),
        "expected an input of [channels, …] with 2 numbers or more in each channel, found [6]\n\
         help: on features use `LayerNorm`"
    );
}
