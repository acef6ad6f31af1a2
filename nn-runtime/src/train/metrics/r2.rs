//! `R2`: the share of the targets' spread that is predicted.

use std::string::String;

use super::column_sums::{ColumnSums, Spread, explained};
use super::{Metric, MetricOn, MetricRows};

/// `r2 = 1 − Σ weight · (y − t)² / Σ weight · (t − mean t)²` of each column, the mean over columns: 1 is
/// perfect, 0 as good as the mean. A column whose targets are all alike has 1 where nothing is missed,
/// else 0. NaN of fewer than 2 rows. Where the loss reads scores, it is of the probabilities that they
/// make.
///
/// Memory: three numbers a column. Scikit-learn's `r2_score`, Keras's `R2Score`; PyTorch has it in
/// `torchmetrics`.
///
/// ```
/// use nn_runtime::losses::Link;
/// use nn_runtime::train::metrics::{Metric, MetricOn, MetricRows, R2};
///
/// let mut metric = R2::new();
/// let (y, t) = ([2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0]);
/// metric.update(&MetricRows { y: &y, width: 1, targets: &t, weight: 1.0, link: Link::Identity });
/// assert!((metric.value() - 0.9486081).abs() < 1e-6);
/// ```
#[derive(Clone, PartialEq, Default, Debug)]
pub struct R2 {
    sums: ColumnSums<(f64, Spread)>,
}

impl R2 {
    /// Without rows yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Metric for R2 {
    type Value = f64;

    fn name(&self) -> String {
        "r2".into()
    }

    fn value(&self) -> f64 {
        match self.sums.rows {
            0 | 1 => f64::NAN,
            _ => self.sums.mean(|(missed, spread)| explained(*missed, spread.squares)),
        }
    }

    fn reset(&mut self) {
        self.sums = ColumnSums::default();
    }
}

impl MetricOn<f32> for R2 {
    fn update(&mut self, rows: &MetricRows<f32>) {
        self.sums.add(rows, |(missed, spread), y, t, [weight, all]| {
            *missed += weight * (y - t) * (y - t);
            spread.add(t, weight, all);
        });
    }
}
