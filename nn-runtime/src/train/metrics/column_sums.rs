//! Sums over the rows of each column: what errors and explained shares are made of. In: rows of values; out:
//! a few sums a column, whatever the number of rows.

use std::vec::Vec;

use super::MetricRows;

/// A mean, and the sum of squares around it, kept row by row: as exact for numbers far from 0 as for those
/// near it. Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products", 1962.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub(super) struct Spread {
    mean: f64,
    /// Σ weight · (x − mean)²
    pub(super) squares: f64,
}

impl Spread {
    /// One more number, after which all weigh so much.
    pub(super) fn add(&mut self, x: f64, weight: f64, all: f64) {
        let off = x - self.mean;
        self.mean += off * weight / all;
        self.squares += weight * off * (x - self.mean);
    }
}

/// Sums of the columns, of any kind.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct ColumnSums<S> {
    pub(super) columns: Vec<S>,
    pub(super) rows: u64,
    /// Σ weight of rows.
    pub(super) weight: f64,
}

impl<S> Default for ColumnSums<S> {
    fn default() -> Self {
        ColumnSums { columns: Vec::new(), rows: 0, weight: 0.0 }
    }
}

impl<S: Clone + Default> ColumnSums<S> {
    /// Adds rows: `add` is given a column's sums, its prediction, its target, the row's weight and that of
    /// all rows up to it.
    pub(super) fn add(&mut self, rows: &MetricRows<f32>, add: impl Fn(&mut S, f64, f64, [f64; 2])) {
        self.columns.resize(rows.width, S::default());
        let mut predicted = Vec::with_capacity(rows.width);
        for (y, t) in rows.pairs() {
            self.rows += 1;
            self.weight += rows.weight;
            rows.predict(y, &mut predicted);
            for ((sums, &y), &t) in self.columns.iter_mut().zip(&predicted).zip(t) {
                add(sums, y, f64::from(t), [rows.weight, self.weight]);
            }
        }
    }

    /// The mean over columns; NaN where there is none.
    pub(super) fn mean(&self, of: impl Fn(&S) -> f64) -> f64 {
        self.columns.iter().map(of).sum::<f64>() / self.columns.len() as f64
    }
}

/// `1 − missed / all`, as scikit-learn has it where all are alike: 1 if nothing is missed, else 0.
pub(super) fn explained(missed: f64, all: f64) -> f64 {
    match (missed == 0.0, all == 0.0) {
        (true, _) => 1.0,
        (false, true) if missed.is_finite() => 0.0,
        _ => 1.0 - missed / all,
    }
}

/// A metric of errors: of each column the mean of `$error`, by weight, and what `$value` makes of it; the
/// mean over columns.
macro_rules! error_metric {
    ($(#[$docs:meta])* pub struct $name:ident: $short:literal = $error:expr, $value:expr;) => {
        $(#[$docs])*
        #[derive(Clone, PartialEq, Default, Debug)]
        pub struct $name {
            sums: ColumnSums<f64>,
        }

        impl $name {
            /// Without rows yet.
            pub fn new() -> Self {
                Self::default()
            }
        }

        impl Metric for $name {
            type Value = f64;

            fn name(&self) -> String {
                $short.into()
            }

            fn lower_is_better(&self) -> bool {
                true
            }

            fn value(&self) -> f64 {
                self.sums.mean(|sum| $value(sum / self.sums.weight))
            }

            fn reset(&mut self) {
                self.sums = ColumnSums::default();
            }
        }

        impl MetricOn<f32> for $name {
            fn update(&mut self, rows: &MetricRows<f32>) {
                let error = $error;
                self.sums.add(rows, |sum, y, t, [weight, _]| *sum += weight * error(y, t));
            }
        }
    };
}
pub(super) use error_metric;
