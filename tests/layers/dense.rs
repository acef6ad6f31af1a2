//! `Dense` and `DensePerStep`.

use nn_runtime::layers::{Dense, DensePerStep};
use nn_runtime::{Init, Isa, Probe, Shape};

use crate::harness::{against_formula, against_pytorch, fault};

/// `[units, inputs]` times each row of `x`, plus the bias if there is one.
fn product(inputs: usize) -> impl Fn(&[f64], &[Vec<f64>]) -> Vec<f64> {
    move |x, params| {
        let row = |x: &[f64]| -> Vec<f64> {
            let outputs = params[0].chunks(inputs).enumerate();
            let bias = |j: usize| params.get(1).map_or(0.0, |bias| bias[j]);
            outputs.map(|(j, w)| w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + bias(j)).collect()
        };
        x.chunks(inputs).flat_map(row).collect()
    }
}

#[test]
fn dense_is_pytorchs() {
    let make = |case: &nn_tests::fixtures::Case| {
        Dense::new(case.number("out_features") as usize).bias(case.number("bias") == 1.0)
    };
    against_pytorch("dense", make, Dense::rule, &["weight", "bias"]);
}

#[test]
fn dense_is_its_formula() {
    for (inputs, units) in [(1, 1), (3, 2), (2, 17), (17, 3), (7, 33), (16, 16)] {
        let shape = Shape::of([inputs]);
        against_formula(Dense::new(units), Dense::rule, shape, 2.0, product(inputs));
        against_formula(Dense::new(units).bias(false), Dense::rule, shape, 2.0, product(inputs));
    }
}

#[test]
fn dense_per_step_is_dense_at_every_step() {
    for (steps, inputs, units) in [(1, 3, 2), (5, 3, 7), (3, 7, 17)] {
        let shape = Shape::of([steps, inputs]);
        against_formula(DensePerStep::new(units), DensePerStep::rule, shape, 2.0, product(inputs));
        against_formula(DensePerStep::new(units).bias(false), DensePerStep::rule, shape, 2.0, product(inputs));
    }
}

#[test]
fn parameters_begin_as_asked() {
    let probe = Probe::new(Dense::new(40), Dense::rule, [Shape::of([60])]).unwrap();
    let [weight, bias] = &probe.params()[..] else { panic!("two parameters") };
    let bound = (6.0f32 / 100.0).sqrt();
    assert!(weight.iter().all(|w| w.abs() <= bound) && weight.iter().any(|w| w.abs() > 0.95 * bound));
    assert!(bias.iter().all(|&b| b == 0.0));

    let layer = Dense::new(2).init(Init::Constant(3.0)).bias_init(Init::Constant(-1.0));
    let probe = Probe::new(layer, Dense::rule, [Shape::of([2])]).unwrap();
    assert_eq!(probe.params(), [vec![3.0; 4], vec![-1.0; 2]]);
    let layer = DensePerStep::new(2).init(Init::Constant(3.0)).bias_init(Init::Constant(-1.0));
    let probe = Probe::new(layer, DensePerStep::rule, [Shape::of([5, 2])]).unwrap();
    assert_eq!(probe.params(), [vec![3.0; 4], vec![-1.0; 2]]);
}

#[test]
fn faults_say_what_to_type() {
    assert_eq!(
        fault(Dense::new(3), Dense::rule, Shape::of([1, 28, 28])),
        "expected an input of [features], found [1, 28, 28]\nhelp: put `Flatten` before it"
    );
    assert_eq!(
        fault(Dense::new(3), Dense::rule, Shape::of([5, 8])),
        "expected an input of [features], found [5, 8]\nhelp: put `Flatten` before it, or use `DensePerStep` on [steps, features]; a batch is in no shape"
    );
    assert_eq!(
        fault(Dense::new(0), Dense::rule, Shape::of([8])),
        "expected at least 1 unit, found 0\nhelp: give the number of outputs, such as `Dense(10)`"
    );
    assert_eq!(
        fault(DensePerStep::new(3), DensePerStep::rule, Shape::of([8])),
        "expected an input of [steps, features], found [8]\nhelp: use `Dense` on [features]"
    );
    let text = fault(Dense::new(usize::MAX / 2), Dense::rule, Shape::of([8]));
    assert!(text.starts_with("expected sizes that fit into memory"), "{text}");
    fault(Dense::new(3), Dense::rule, Shape::UNKNOWN);
    fault(Dense::new(3), Dense::rule, Shape::of([0]));
}

/// Sums over many steps: of equal terms, whose rounding would go one way.
#[test]
fn gradients_of_many_steps_keep_their_digits() {
    let steps = 50_000;
    for (inputs, units) in [(1, 1), (3, 17), (33, 5)] {
        for isa in Isa::available() {
            let shape = Shape::of([steps, inputs]);
            let probe = Probe::new(DensePerStep::new(units), DensePerStep::rule, [shape]).unwrap().isa(isa);
            let found = probe.gradients(1, [&vec![0.3; steps * inputs]], [&vec![0.1; steps * units]]);
            let (dw, db) = (f64::from(0.3f32) * f64::from(0.1f32) * 5e4, f64::from(0.1f32) * 5e4);
            for (found, truth) in [(&found.params[0], dw), (&found.params[1], db)] {
                let near = |x: &f32| (f64::from(*x) / truth - 1.0).abs() < 1e-6;
                assert!(found.iter().filter(|x| **x != 0.0).all(near), "{}: {truth} {found:?}", isa.name());
                assert!(found.iter().any(|x| *x != 0.0));
            }
        }
    }
}
