//! `LayerNorm`, `RmsNorm`, `GroupNorm`, `InstanceNorm`: normalisations of one sample at a time.

use nn_runtime::layers::{GroupNorm, InstanceNorm, LayerNorm, LogSoftmax, RmsNorm, Softmax};
use nn_runtime::{Isa, Layer, Probe, Rule, Shape};
use nn_tests::numbers::{assert_near, numbers};

use crate::harness::{against_formula, against_pytorch, fault};

const PARAMS: &[&str] = &["weight", "bias"];

/// Mean 0 and deviation 1 over `n` numbers at a time; weight and bias `p` of a row's element `e` where
/// `index` says.
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

/// Groups of the features of a sequence, over all steps: as groups of channels of the transposed matrix.
fn of_sequences<L: Layer + Copy>(
    layer: L,
    rule: impl Fn(&L, [Shape; 1]) -> Rule + Copy,
    [steps, features]: [usize; 2],
    groups: usize,
) {
    let n = steps * features / groups;
    let transposed = |x: &[f64], [rows, columns]: [usize; 2]| -> Vec<f64> {
        (0..columns).flat_map(|c| (0..rows).map(move |r| x[r * columns + c])).collect()
    };
    against_formula(layer, rule, Shape::of([steps, features]), 2.0, |x, params| {
        let samples = x.chunks(steps * features);
        let one = |x: &[f64]| {
            let x = transposed(x, [steps, features]);
            let y = normalised(&x, n, f64::from(1e-5f32), true, params, |e| e / steps % features);
            transposed(&y, [features, steps])
        };
        samples.flat_map(one).collect()
    });
}

#[test]
fn group_norm() {
    against_pytorch(
        "images/group_norm",
        |case| {
            // PyTorch's channels come first.
            GroupNorm::new(case.number("groups") as usize)
                .axis(0)
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
    of_sequences(GroupNorm::new(3), GroupNorm::rule, [5, 6], 3);
    of_sequences(GroupNorm::new(1), GroupNorm::rule, [2, 70], 1);
    // More than a cache line of channels, so that weights are asked for in parts.
    let shape = Shape::of([40, 3]);
    against_formula(GroupNorm::new(8).axis(0), GroupNorm::rule, shape, 2.0, |x, params| {
        normalised(x, 15, eps, true, params, |e| e / 3 % 40)
    });
}

#[test]
fn instance_norm() {
    against_pytorch(
        "images/instance_norm",
        |case| InstanceNorm::new().axis(0).eps(case.number("eps") as f32).affine(case.number("affine") == 1.0),
        InstanceNorm::rule,
        PARAMS,
    );
    let eps = f64::from(1e-5f32);
    of_sequences(InstanceNorm::new().affine(true), InstanceNorm::rule, [7, 19], 19);
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

/// Means that `f32` cannot hold, of numbers whose differences are small beside them; gradients too.
#[test]
fn deviations_far_from_zero() {
    for (base, n) in [(1e5, 28), (1e6, 28), (1e6, 27), (-1e7, 100), (1e6, 5000)] {
        let x: Vec<f32> = (0..n).map(|i| base + (i % 2) as f32).collect();
        let dy = numbers(7, n, 1.0);
        let mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / n as f64;
        let centred: Vec<f64> = x.iter().map(|x| f64::from(*x) - mean).collect();
        let scale = 1.0 / (centred.iter().map(|x| x * x).sum::<f64>() / n as f64 + f64::from(1e-5f32)).sqrt();
        let y: Vec<f64> = centred.iter().map(|x| x * scale).collect();
        let dy_mean = dy.iter().map(|dy| f64::from(*dy)).sum::<f64>() / n as f64;
        let along = dy.iter().zip(&y).map(|(dy, y)| f64::from(*dy) * y).sum::<f64>() / n as f64;
        let dx: Vec<f64> = dy.iter().zip(&y).map(|(dy, y)| scale * (f64::from(*dy) - dy_mean - y * along)).collect();
        let dw: Vec<f64> = dy.iter().zip(&y).map(|(dy, y)| f64::from(*dy) * y).collect();
        for isa in Isa::available() {
            let what = |of: &str| format!("{base} {n} {}: {of}", isa.name());
            let layer = Probe::new(LayerNorm::new(), LayerNorm::rule, [Shape::of([n])]).unwrap().isa(isa);
            let group = Probe::new(GroupNorm::new(1), GroupNorm::rule, [Shape::of([n])]).unwrap().isa(isa);
            let instance = InstanceNorm::new().affine(true);
            let instance = Probe::new(instance, InstanceNorm::rule, [Shape::of([1, n])]).unwrap().isa(isa);
            assert_near(&layer.forward(1, [&x])[0], &y, &what("layer"));
            assert_near(&group.forward(1, [&x])[0], &y, &what("group"));
            assert_near(&instance.forward(1, [&x])[0], &y, &what("instance"));
            let found = [layer.gradients(1, [&x], [&dy]), group.gradients(1, [&x], [&dy])];
            for found in found {
                assert_near(&found.inputs[0], &dx, &what("dx"));
                assert_near(&found.params[0], &dw, &what("dw"));
            }
            let found = instance.gradients(1, [&x], [&dy]);
            assert_near(&found.inputs[0], &dx, &what("dx of instance"));
            assert_near(&found.params[0], &[dw.iter().sum()], &what("dw of instance"));
        }
    }
}

/// What would answer the same to any input.
#[test]
fn norms_of_one_number_are_refused() {
    let (one, steps) = (Shape::of([1]), Shape::of([64, 1]));
    let found = [
        fault(LayerNorm::new(), LayerNorm::rule, steps),
        fault(RmsNorm::new(), RmsNorm::rule, one),
        fault(GroupNorm::new(8), GroupNorm::rule, Shape::of([8])),
        fault(InstanceNorm::new().axis(0), InstanceNorm::rule, Shape::of([8, 1])),
        fault(Softmax::new(), Softmax::rule, one),
        fault(LogSoftmax::new(), LogSoftmax::rule, steps),
    ];
    let help = "leave it out, or normalise before the features become one";
    let expected = [
        format!("expected at least 2 numbers to normalise together, of [64, 1], found 1\nhelp: {help}"),
        format!("expected at least 2 numbers to normalise together, of [1], found 1\nhelp: {help}"),
        "expected at least 2 numbers to normalise together, of [8], found 1\nhelp: give fewer groups, such as `GroupNorm(1)`"
            .into(),
        "expected an input of [channels, …] with 2 numbers or more in each channel, found [8, 1]\n\
         help: on features use `LayerNorm`"
            .into(),
        "expected scores of at least 2 classes, whose probabilities sum to 1, found [1]\n\
         help: write `Sigmoid` for one probability"
            .into(),
        "expected scores of at least 2 classes, whose probabilities sum to 1, found [64, 1]\n\
         help: leave it out and train the score with `BinaryCrossEntropy`"
            .into(),
    ];
    assert_eq!(found, expected);
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
        fault(GroupNorm::new(4).axis(0), GroupNorm::rule, x),
        "expected groups that divide the 6 channels of [6, 4], found 4\nhelp: write `GroupNorm(3)`"
    );
    assert!(fault(GroupNorm::new(0), GroupNorm::rule, x).ends_with("found 0\nhelp: write `GroupNorm(1)`"));
    assert_eq!(
        fault(InstanceNorm::new(), InstanceNorm::rule, Shape::of([6])),
        "expected an input of [channels, …] with 2 numbers or more in each channel, found [6]\n\
         help: on features use `LayerNorm`"
    );
}
