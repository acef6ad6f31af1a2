//! `PositionalEncoding`.

use nn_runtime::layers::PositionalEncoding;
use nn_runtime::{Probe, Shape};
use nn_tests::numbers::{assert_near, wide};

use crate::harness::{against_formula, against_pytorch, fault};

#[test]
fn waves_are_pytorchs() {
    against_pytorch("positional_encoding", |_| PositionalEncoding::new(), PositionalEncoding::rule, &[]);
}

/// Every wave by itself, far out too: a sum of squares would hide the small ones.
#[test]
fn waves_are_within_what_is_said() {
    let (steps, features) = (100_000, 7);
    let probe =
        Probe::new(PositionalEncoding::new(), PositionalEncoding::rule, [Shape::of([steps, features])]).unwrap();
    let [y] = probe.forward(1, [&vec![0.0; steps * features]]);
    for (at, y) in y.iter().enumerate() {
        let (step, i) = ((at / features) as f64, at % features);
        let angle = step / 10_000f64.powf((i / 2 * 2) as f64 / features as f64);
        let truth = if i % 2 == 0 { angle.sin() } else { angle.cos() };
        assert!((f64::from(*y) - truth).abs() < 2e-7, "step {step}, feature {i}: {y} instead of {truth}");
    }
}

#[test]
fn a_learnt_table_is_added() {
    for (steps, features) in [(1, 1), (5, 6), (3, 7), (9, 33)] {
        let layer = PositionalEncoding::new().learnt(true);
        against_formula(layer, PositionalEncoding::rule, Shape::of([steps, features]), 2.0, |x, params| {
            x.iter().zip(&params[0]).map(|(x, w)| x + w).collect()
        });
    }
    let layer = PositionalEncoding::new().learnt(true);
    let probe = Probe::new(layer, PositionalEncoding::rule, [Shape::of([50, 40])]).unwrap();
    let table = wide(&probe.params()[0]);
    let deviation = (table.iter().map(|w| w * w).sum::<f64>() / table.len() as f64).sqrt();
    assert!((deviation - 0.02).abs() < 0.002, "{deviation}");
    let x = vec![0.0; 2000];
    assert_near(&probe.forward(1, [&x])[0], &table, &"y");
}

#[test]
fn faults_say_what_to_type() {
    assert_eq!(
        fault(PositionalEncoding::new(), PositionalEncoding::rule, Shape::of([8])),
        "expected an input of [steps, features], found [8]\n\
         help: put `Embedding(vocabulary, features)` before it if these are token ids"
    );
    assert_eq!(
        fault(PositionalEncoding::new(), PositionalEncoding::rule, Shape::of([3, 8, 8])),
        "expected an input of [steps, features], found [3, 8, 8]\n\
         help: put `Permute([2, 0, 1]) -> Reshape([8, 24])` before it: each column is a step"
    );
    fault(PositionalEncoding::new(), PositionalEncoding::rule, Shape::UNKNOWN);
}
