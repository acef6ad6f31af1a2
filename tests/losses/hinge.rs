//! `Hinge`, squared too: against PyTorch and its formula, and at its bend.

use nn_runtime::Isa;
use nn_runtime::losses::{Hinge, LossOn};
use nn_tests::numbers::numbers;

use crate::harness::{WIDTHS, against_formula, against_pytorch, mean};

/// Targets of -1 and 1.
fn signs(seed: u64, len: usize) -> Vec<f32> {
    numbers(seed, len, 1.0).iter().map(|x| x.signum()).collect()
}

#[test]
fn hinge() {
    let loss = |squared: bool| if squared { Hinge::squared() } else { Hinge::new() };
    against_pytorch("hinge", |case| Some(loss(case.number("squared") > 0.0)), 10);
    for squared in [false, true] {
        against_formula("hinge", &loss(squared), &WIDTHS, signs, |y, t| {
            mean(y, t, |y, t| (1.0 - t * y).max(0.0).powi(if squared { 2 } else { 1 }))
        });
    }
    let (y, t) = ([1.0, -2.0, 0.5, 0.0], [1.0, -1.0, -1.0, 1.0]);
    let mut dy = [f32::NAN; 4];
    Hinge::new().gradient(Isa::detect(), 1, &y, &t[..], 1.0, &mut dy);
    assert_eq!(dy, [0.0, 0.0, 1.0, -1.0], "at the bend the slope is 0");
    assert_eq!(Hinge::new().correct(1, &y, &t[..]), Some(2), "0 is on neither side");
    assert_eq!(Hinge::new().correct(2, &y, &t[..]), Some(1), "all of a row");
    assert_eq!(Hinge::new().fault(1, &[1.0, 0.0][..], 2), Some((1, "expected targets of -1 or 1, found 0".to_owned())));
}
