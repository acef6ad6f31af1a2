//! `BinaryFocal`: against PyTorch and its formula, for several gammas and alphas.

use nn_runtime::losses::{BinaryFocal, LossOn};
use nn_tests::numbers::numbers;

use crate::harness::{WIDTHS, against_formula, against_pytorch, mean};

/// Targets of 0 and 1.
fn bits(seed: u64, len: usize) -> Vec<f32> {
    numbers(seed, len, 1.0).iter().map(|&x| f32::from(u8::from(x > 0.0))).collect()
}

#[test]
fn binary_focal() {
    let loss = |gamma: f64, alpha: f64| BinaryFocal::new().gamma(gamma as f32).alpha(alpha as f32);
    against_pytorch("binary_focal", |case| Some(loss(case.number("gamma"), case.number("alpha"))), 10);
    for (gamma, alpha) in [(0.0, 0.5), (1.5, 0.25), (2.0, 0.75)] {
        against_formula("binary focal", &loss(gamma, alpha), &WIDTHS, bits, |z, t| {
            mean(z, t, |z, t| {
                let p = 1.0 / (1.0 + (-z).exp());
                let (p, alpha) = if t > 0.5 { (p, alpha) } else { (1.0 - p, 1.0 - alpha) };
                -alpha * (1.0 - p).powf(gamma) * p.ln()
            })
        });
    }
    assert_eq!(BinaryFocal::new().correct(1, &[-1.0, 2.0, 3.0], &[0.0, 1.0, 0.0][..]), Some(2));
    assert_eq!(
        BinaryFocal::new().fault(1, &[0.5][..], 1),
        Some((0, "expected targets of 0 or 1, found 0.5".to_owned()))
    );
}

#[test]
#[should_panic(expected = "expected an alpha from 0 to 1, found 1.5")]
fn it_needs_an_alpha() {
    let _ = BinaryFocal::new().alpha(1.5);
}
