//! `BinaryCrossEntropy` on scores: against PyTorch and its formula; what counts as right.

use nn_runtime::Isa;
use nn_runtime::losses::{BinaryCrossEntropy, BinaryFocal, LossOn};

use nn_tests::fixtures::Case;

use crate::harness::{WIDTHS, against_formula, against_pytorch, mean, unit_values};

#[test]
fn binary_cross_entropy() {
    let loss = BinaryCrossEntropy::new();
    // The other cases answer for probabilities; this loss reads scores.
    let weighted = |case: &Case| match case.settings.contains_key("pos_weight") {
        true => loss.pos_weight(case.number("pos_weight") as f32),
        false => loss,
    };
    against_pytorch("binary_cross_entropy", |case| (case.word("from") == "logits").then(|| weighted(case)), 13);
    for weight in [0.25, 7.0] {
        let loss = loss.pos_weight(weight as f32);
        against_formula("weighted binary cross-entropy", &loss, &WIDTHS, unit_values, |z, t| {
            mean(z, t, |z, t| {
                let p = 1.0 / (1.0 + (-z).exp());
                -(weight * t * p.ln() + (1.0 - t) * (1.0 - p).ln())
            })
        });
    }
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
#[should_panic(expected = "expected a weight of yes above 0, found 0")]
fn a_yes_counts() {
    let _ = BinaryCrossEntropy::new().pos_weight(0.0);
}

#[test]
fn a_sample_is_right_where_all_of_it_is() {
    let loss = BinaryCrossEntropy::new();
    assert_eq!(loss.correct(1, &[-1.0, 2.0, 3.0], &[0.0, 1.0, 0.0][..]), Some(2));
    assert_eq!(loss.correct(2, &[-1.0, 2.0, 3.0, f32::NAN], &[0.0, 1.0, 1.0, 0.0][..]), Some(1));
}

/// What is left of a loss that is sure and right, and its gradient, to a few roundings of their own size.
#[test]
fn scores_that_are_sure_are_exact_on_both_sides() {
    let near = |found: f64, truth: f64, what: &str| {
        assert!((found - truth).abs() <= 5e-7 * truth.abs(), "{what}: {found:e}, expected {truth:e}");
    };
    let (loss, focal) = (BinaryCrossEntropy::new(), BinaryFocal::new().gamma(1.0).alpha(0.5));
    for isa in Isa::available() {
        for i in -320..=320 {
            let z = i as f32 / 4.0;
            for t in [0.0f32, 1.0, 0.25] {
                let what = format!("{} {z} for {t}", isa.name());
                let (wide, t64) = (f64::from(z), f64::from(t));
                let tail = (-wide.abs()).exp();
                let off = if wide > 0.0 { 1.0 - t64 } else { t64 };
                let mut dy = [f32::NAN];
                let value = loss.gradient(isa, 1, &[z], &[t][..], 1.0, &mut dy);
                near(value, wide.abs() * off + tail.ln_1p(), &what);
                let other = tail / (1.0 + tail);
                let slope = if wide > 0.0 { off - other } else { other - off };
                // Where the target is neither, the slope is a difference of numbers of this size.
                let size = if t == 0.25 { off.max(other) } else { slope.abs() };
                assert!((f64::from(dy[0]) - slope).abs() <= 5e-7 * size, "{what}: {dy:?}");
                assert_eq!(loss.value(isa, 1, &[z], &[t][..]), value, "{what}");
                if t == 0.25 {
                    continue;
                }
                // Of the focal loss too: with `q` the probability of the wrong answer, -q · ln(1 - q) / 2.
                let against = if t == 1.0 { -wide } else { wide };
                let (wrong, surprise) = (1.0 / (1.0 + (-against).exp()), against.max(0.0) + tail.ln_1p());
                let found = focal.value(isa, 1, &[z], &[t][..]);
                assert!((found - 0.5 * wrong * surprise).abs() <= 3e-6 * found + 1e-37, "focal {what}: {found:e}");
            }
        }
    }
}
