//! `Huber`: against PyTorch and its formula, for several deltas.

use nn_runtime::losses::{Huber, LossOn};

use crate::harness::{WIDTHS, against_formula, against_pytorch, mean, values};

#[test]
fn huber() {
    against_pytorch("huber", |case| Some(Huber::new().delta(case.number("delta") as f32)), 10);
    for delta in [0.25, 1.0, 3.0] {
        against_formula("huber", &Huber::new().delta(delta as f32), &WIDTHS, values, |y, t| {
            mean(y, t, |y, t| {
                let d = (y - t).abs();
                if d <= delta { 0.5 * d * d } else { delta * (d - 0.5 * delta) }
            })
        });
    }
}

#[test]
fn targets_are_finite() {
    assert_eq!(
        Huber::new().fault(1, &[0.0, f32::NAN][..], 2),
        Some((1, "expected finite targets, found NaN".to_owned()))
    );
}

#[test]
#[should_panic(expected = "expected a delta above 0, found 0")]
fn it_needs_a_delta() {
    let _ = Huber::new().delta(0.0);
}
