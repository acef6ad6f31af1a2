//! The table of activations.

use nn_runtime::layers::{
    Elu, Gelu, HardSigmoid, HardSwish, LeakyRelu, Mish, Relu, Selu, Sigmoid, Silu, Softplus, Tanh,
};
use nn_runtime::prelude::network;
use nn_runtime::{Isa, Layer, Network, Probe, Rule, Shape};
use nn_tests::fixtures::Case;

use crate::harness::{against_formula, against_pytorch, fault, takes_any_number};

fn check<L: Layer + Copy>(
    file: &str,
    make: impl Fn(&Case) -> L,
    rule: impl Fn(&L, [Shape; 1]) -> Rule + Copy,
    formulas: &[(L, &dyn Fn(f64) -> f64)],
) {
    against_pytorch(file, make, rule, &[]);
    for (layer, formula) in formulas {
        for shape in [Shape::of([1]), Shape::of([17]), Shape::of([3, 5, 7])] {
            against_formula(*layer, rule, shape, 4.0, |x, _| x.iter().map(|&x| formula(x)).collect());
        }
        takes_any_number(*layer, rule);
    }
}

#[test]
fn relu() {
    check("relu", |_| Relu::new(), Relu::rule, &[(Relu::new(), &|x| x.max(0.0))]);
}

#[test]
fn leaky_relu() {
    check(
        "leaky_relu",
        |case| LeakyRelu::new().slope(case.number("negative_slope") as f32),
        LeakyRelu::rule,
        &[
            (LeakyRelu::new(), &|x| if x > 0.0 { x } else { f64::from(0.01f32) * x }),
            (LeakyRelu::new().slope(2.0), &|x| if x > 0.0 { x } else { 2.0 * x }),
        ],
    );
}

#[test]
fn elu() {
    check(
        "elu",
        |case| Elu::new().alpha(case.number("alpha") as f32),
        Elu::rule,
        &[
            (Elu::new(), &|x| if x > 0.0 { x } else { x.exp_m1() }),
            (Elu::new().alpha(2.5), &|x| if x > 0.0 { x } else { 2.5 * x.exp_m1() }),
        ],
    );
}

#[test]
fn gelu() {
    let exact = |x: f64| 0.5 * x * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2));
    let approximate =
        |x: f64| 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh());
    check(
        "gelu",
        |case| Gelu::new().approximate(case.word("approximate") == "tanh"),
        Gelu::rule,
        &[(Gelu::new(), &exact), (Gelu::new().approximate(true), &approximate)],
    );
}

#[test]
fn silu() {
    check("silu", |_| Silu::new(), Silu::rule, &[(Silu::new(), &|x| x / (1.0 + (-x).exp()))]);
}

#[test]
fn sigmoid() {
    check("sigmoid", |_| Sigmoid::new(), Sigmoid::rule, &[(Sigmoid::new(), &|x| 1.0 / (1.0 + (-x).exp()))]);
}

#[test]
fn tanh() {
    check("tanh", |_| Tanh::new(), Tanh::rule, &[(Tanh::new(), &f64::tanh)]);
}

#[test]
fn softplus() {
    check(
        "softplus",
        |case| Softplus::new().beta(case.number("beta") as f32),
        Softplus::rule,
        &[(Softplus::new(), &|x| x.exp().ln_1p()), (Softplus::new().beta(3.0), &|x| (3.0 * x).exp().ln_1p() / 3.0)],
    );
}

#[test]
fn selu() {
    let (scale, alpha) = (1.050_700_987_355_480_5, 1.673_263_242_354_377_2);
    check(
        "images/selu",
        |_| Selu::new(),
        Selu::rule,
        &[(Selu::new(), &|x| if x > 0.0 { scale * x } else { scale * alpha * x.exp_m1() })],
    );
}

#[test]
fn hard_sigmoid() {
    let formula = |x: f64| (x / 6.0 + 0.5).clamp(0.0, 1.0);
    check("images/hard_sigmoid", |_| HardSigmoid::new(), HardSigmoid::rule, &[(HardSigmoid::new(), &formula)]);
}

#[test]
fn hard_swish() {
    let formula = |x: f64| x * (x / 6.0 + 0.5).clamp(0.0, 1.0);
    check("images/hard_swish", |_| HardSwish::new(), HardSwish::rule, &[(HardSwish::new(), &formula)]);
    // Next to -3, where it is nearly 0, it keeps its digits.
    let x = [-2.9924f32, -2.999, -2.99999, -2.9999998];
    for isa in Isa::available() {
        let probe = Probe::new(HardSwish::new(), HardSwish::rule, [Shape::of([4])]).unwrap().isa(isa);
        for (x, y) in x.iter().zip(&probe.forward(1, [&x])[0]) {
            let truth = f64::from(*x) * (f64::from(*x) + 3.0) / 6.0;
            assert!((f64::from(*y) - truth).abs() <= 1e-6 * truth.abs(), "{} {x}: {y}, not {truth}", isa.name());
        }
    }
}

#[test]
fn mish() {
    check("images/mish", |_| Mish::new(), Mish::rule, &[(Mish::new(), &|x| x * x.exp().ln_1p().tanh())]);
}

/// Where two factors go to infinity and to 0, the smaller wins.
#[test]
fn products_have_limits() {
    let x = [f32::NEG_INFINITY, f32::MIN, f32::INFINITY, f32::MAX];
    let limits = [0.0, 0.0, f32::INFINITY, f32::MAX];
    for isa in Isa::available() {
        let x_shape = [Shape::of([4])];
        let swish = Probe::new(HardSwish::new(), HardSwish::rule, x_shape).unwrap().isa(isa);
        let mish = Probe::new(Mish::new(), Mish::rule, x_shape).unwrap().isa(isa);
        assert_eq!((swish.forward(1, [&x]), mish.forward(1, [&x])), ([limits.to_vec()], [limits.to_vec()]));
        let slopes = [0.0, 0.0, 1.0, 1.0];
        assert_eq!(swish.gradients(1, [&x], [&[1.0; 4]]).inputs[0], slopes, "{}", isa.name());
        assert_eq!(mish.gradients(1, [&x], [&[1.0; 4]]).inputs[0], slopes, "{}", isa.name());
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let x = Shape::of([3]);
    assert_eq!(
        fault(LeakyRelu::new().slope(0.0), LeakyRelu::rule, x),
        "expected a slope above 0, found 0\nhelp: use `Relu` for a slope of 0, or a slope such as `slope = 0.01`"
    );
    assert!(fault(LeakyRelu::new().slope(f32::NAN), LeakyRelu::rule, x).contains("found NaN"));
    assert!(fault(Elu::new().alpha(-1.25), Elu::rule, x).starts_with("expected an alpha above 0, found -1.25\nhelp: "));
    assert!(fault(Softplus::new().beta(f32::INFINITY), Softplus::rule, x).contains("found infinity"));
}

network! {
    /// What each copy keeps is rounded up to whole lines.
    struct Twice: [14] -> [14] { Gelu * 2 }
}

#[test]
fn a_gelu_that_is_repeated_keeps_its_own_slopes() {
    let model = Twice::init(0);
    for samples in [1, 2, 3] {
        let x: Vec<f32> = (0..14 * samples).map(|i| i as f32 * 0.13 - 2.0).collect();
        let found = model.gradients(&[&x], &[&vec![1.0; x.len()]]).unwrap();
        for (&x, &dx) in x.iter().zip(&found.inputs[0]) {
            let gelu = |x: f64| 0.5 * x * (1.0 + libm::erf(x / 2f64.sqrt()));
            let twice = |x: f64| gelu(gelu(x));
            let truth = (twice(f64::from(x) + 1e-5) - twice(f64::from(x) - 1e-5)) / 2e-5;
            assert!((f64::from(dx) - truth).abs() < 1e-5, "{samples} samples, at {x}: {dx} instead of {truth}");
        }
    }
}
