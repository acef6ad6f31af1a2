//! `Quantile`: against its formula, and the quantiles of numbers that it finds.

use nn_runtime::losses::{LossOn, Mae, Quantile};
use nn_runtime::prelude::*;
use nn_tests::numbers::numbers;

use crate::harness::{WIDTHS, against_formula, mean, values};

#[test]
fn quantile() {
    for q in [0.05, 0.5, 0.75, 0.9] {
        against_formula("quantile", &Quantile::new(q), &WIDTHS, values, |y, t| {
            let q = f64::from(q);
            mean(y, t, |y, t| (q * (t - y)).max((q - 1.0) * (t - y)))
        });
    }
}

#[test]
fn the_median_is_half_of_the_absolute_error() {
    let (y, t) = (numbers(1, 40, 2.0), numbers(2, 40, 2.0));
    for isa in nn_runtime::Isa::available() {
        let half = Quantile::new(0.5).value(isa, 4, &y, &t[..]);
        assert!((2.0 * half - Mae::new().value(isa, 4, &y, &t[..])).abs() < 1e-5);
    }
    let mut dy = [f32::NAN; 2];
    let loss =
        Quantile::new(0.9).gradient(nn_runtime::Isa::detect(), 2, &[1.0, f32::NAN], &[1.0, 0.0][..], 1.0, &mut dy);
    assert!(
        dy[0] == 0.0 && dy[1].is_nan() && loss.is_nan(),
        "no slope where it is right, and NaN shows: {dy:?} {loss}"
    );
}

network! { struct Constant: [1] -> [1] { Dense(1) } }

/// A constant that learns 1, 2, .. 99 comes to rest where the share lies below.
#[test]
fn it_learns_the_quantile() {
    let targets: Vec<f32> = (1..100).map(|i| i as f32).collect();
    let data = Dataset::values((&vec![0.0; 99][..], 1), (&targets[..], 1)).unwrap();
    for q in [0.1, 0.5, 0.9] {
        let mut model = Constant::init(0);
        let mut trainer = Trainer::new(&mut model, Quantile::new(q), Sgd::new(10.0)).schedule(Exponential::new(0.99));
        trainer.fit(&data, Fit::epochs(600).batch(99)).unwrap();
        let found = trainer.model().get("dense_1.bias").unwrap()[0];
        assert!((found - 100.0 * q).abs() < 1.0, "{q}: {found}");
    }
}

#[test]
#[should_panic(expected = "expected a quantile between 0 and 1, found 1")]
fn it_is_a_share() {
    let _ = Quantile::new(1.0);
}
