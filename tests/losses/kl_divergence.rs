//! `KlDivergence`: against PyTorch, its formula, and the cross-entropy it differs from by a constant.

use nn_runtime::Isa;
use nn_runtime::losses::{CrossEntropy, KlDivergence, LossOn};

use crate::harness::{WIDTHS, against_formula, against_pytorch, unit_values};

#[test]
fn kl_divergence() {
    let loss = KlDivergence::new();
    against_pytorch("kl_divergence", |_| Some(loss), 7);
    against_formula("kl divergence", &loss, &WIDTHS[1..], unit_values, |z, t| {
        let log_sum = z.iter().map(|z| z.exp()).sum::<f64>().ln();
        z.iter().zip(t).map(|(z, &t)| t * (t.ln() - z + log_sum)).sum()
    });
    let (z, t) = ([0.5, 0.1, -2.0, 90.0], [0.25, 0.75, 1.0, 0.0]);
    for isa in Isa::available() {
        // But for the entropy of the targets it is the cross-entropy.
        let (mut kl, mut ce) = ([0.0; 4], [0.0; 4]);
        loss.gradient(isa, 2, &z, &t[..], 0.5, &mut kl);
        CrossEntropy::new().gradient(isa, 2, &z, &t[..], 0.5, &mut ce);
        assert_eq!(kl, ce);
    }
    assert_eq!(loss.correct(2, &z, &t[..]), Some(0));
    assert_eq!(
        loss.fault(2, &[0.5, -0.5][..], 1),
        Some((0, "expected finite shares of at least 0, found -0.5".to_owned()))
    );
}
