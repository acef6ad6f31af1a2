//! `RootMeanSquaredError`: the size of an error, large ones counting more.

use std::string::String;

use super::column_sums::ColumnSums;
use super::{Metric, MetricOn, MetricRows};

/// `rmse = √(Σ weight · (y − t)² / Σ weight)` of each column, the mean over columns. Where the loss reads
/// scores, it is of the probabilities that they make.
///
/// Memory: one number a column. Scikit-learn's `root_mean_squared_error`; Keras's `RootMeanSquaredError`
/// takes one root of all columns; PyTorch has it in `torchmetrics`.
///
/// ```
/// use nn_runtime::losses::Link;
/// use nn_runtime::train::metrics::{Metric, MetricOn, MetricRows, RootMeanSquaredError};
///
/// let mut metric = RootMeanSquaredError::new();
/// let (y, t) = ([2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0]);
/// metric.update(&MetricRows { y: &y, width: 1, targets: &t, weight: 1.0, link: Link::Identity });
/// assert!((metric.value() - 0.6123724).abs() < 1e-6);
/// ```
#[derive(Clone, PartialEq, Default, Debug)]
pub struct RootMeanSquaredError {
    sums: ColumnSums<f64>,
}

impl RootMeanSquaredError {
    /// Without rows yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Metric for RootMeanSquaredError {
    type Value = f64;

    fn name(&self) -> String {
        "rmse".into()
    }

    fn lower_is_better(&self) -> bool {
        true
    }

    fn value(&self) -> f64 {
        self.sums.mean(|sum| (sum / self.sums.weight).sqrt())
    }

    fn reset(&mut self) {
        self.sums = ColumnSums::default();
    }
}

impl MetricOn<f32> for RootMeanSquaredError {
    fn update(&mut self, rows: &MetricRows<f32>) {
        self.sums.add(rows, |sum, y, t, [weight, _]| *sum += weight * (y - t) * (y - t));
    }
}
