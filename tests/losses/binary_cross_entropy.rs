//! `BinaryCrossEntropy` on scores: against PyTorch and its formula; what counts as right.

use nn_runtime::losses::{BinaryCrossEntropy, LossOn};

use crate::harness::{WIDTHS, against_formula, against_pytorch, mean, unit_values};

#[test]
fn binary_cross_entropy() {
    let loss = BinaryCrossEntropy::new();
    // The other cases answer for probabilities; this loss reads scores.
    against_pytorch("binary_cross_entropy", |case| (case.word("from") == "logits").then_some(loss), 9);
    against_formula("binary cross-entropy", &loss, &WIDTHS, unit_values, |z, t| {
        mean(z, t, |z, t| {
            let p = 1.0 / (1.0 + (-z).exp());
            -(t * p.ln() + (1.0 - t) * (1.0 - p).ln())
        })
    });
}

#[test]
fn targets_are_probabilities() {
    assert_eq!(
        BinaryCrossEntropy::new().fault(2, &[0.0, 1.0, 0.5, 1.5][..], 2),
        Some((1, "expected targets from 0 to 1, found 1.5".to_owned()))
    );
}

#[test]
fn a_sample_is_right_where_all_of_it_is() {
    let loss = BinaryCrossEntropy::new();
    assert_eq!(loss.correct(1, &[-1.0, 2.0, 3.0], &[0.0, 1.0, 0.0][..]), Some(2));
    assert_eq!(loss.correct(2, &[-1.0, 2.0, 3.0, f32::NAN], &[0.0, 1.0, 1.0, 0.0][..]), Some(1));
}
