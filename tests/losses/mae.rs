//! `Mae`: against PyTorch and its formula.

use nn_runtime::losses::{LossOn, Mae};

use crate::harness::{WIDTHS, against_formula, against_pytorch, mean, values};

#[test]
fn mae() {
    against_pytorch("mae", |_| Some(Mae::new()), 5);
    against_formula("mae", &Mae::new(), &WIDTHS, values, |y, t| mean(y, t, |y, t| (y - t).abs()));
}

#[test]
fn rows_have_as_many_targets_as_numbers() {
    assert_eq!(
        Mae::new().fault(3, &[0.0, 1.0, 0.5, 1.5][..], 2),
        Some((0, "expected 3 targets, as many as a row of the output has numbers, found 2".to_owned()))
    );
}
