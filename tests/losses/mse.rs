//! `Mse`: against PyTorch and its formula, halved too.

use nn_runtime::losses::{LossOn, Mse};

use crate::harness::{WIDTHS, against_formula, against_pytorch, mean, values};

#[test]
fn mse() {
    against_pytorch("mse", |_| Some(Mse::new()), 5);
    against_formula("mse", &Mse::new(), &WIDTHS, values, |y, t| mean(y, t, |y, t| (y - t).powi(2)));
    against_formula("half mse", &Mse::half(), &WIDTHS, values, |y, t| mean(y, t, |y, t| 0.5 * (y - t).powi(2)));
    assert_eq!(Mse::new().correct(2, &[0.1, 0.9], &[0.0, 1.0][..]), None, "nothing is right or wrong");
}

#[test]
fn any_finite_target_will_do() {
    assert_eq!(Mse::new().fault(2, &[0.0, 1.0, 0.5, 1.5][..], 2), None);
}
