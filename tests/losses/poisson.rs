//! `Poisson`, of rates and of their logarithms: against PyTorch and its formula.

use nn_runtime::Isa;
use nn_runtime::losses::{LossOn, Poisson};
use nn_tests::numbers::numbers;

use crate::harness::{WIDTHS, against_formula, against_pytorch, mean};

/// Targets that are counts.
fn counts(seed: u64, len: usize) -> Vec<f32> {
    numbers(seed, len, 5.0).iter().map(|x| x.abs().floor()).collect()
}

#[test]
fn poisson() {
    against_pytorch("poisson", |case| Some(Poisson::new().log_input(case.number("log_input") > 0.0)), 8);
    against_formula("poisson", &Poisson::new(), &WIDTHS, counts, |y, t| mean(y, t, |y, t| y.exp() - t * y));
    let target = [0.0, 2.0];
    let mut dy = [f32::NAN; 2];
    let loss = Poisson::new().log_input(false).gradient(Isa::detect(), 2, &[0.0, 1.0], &target[..], 1.0, &mut dy);
    assert_eq!((loss, dy), (0.5, [0.5, -0.5]), "a rate of 0 that nothing was counted at");
    assert_eq!(
        Poisson::new().fault(1, &[1.0, -1.0][..], 2),
        Some((1, "expected finite targets of at least 0, found -1".to_owned()))
    );
}
