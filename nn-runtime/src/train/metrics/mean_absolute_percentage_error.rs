//! `MeanAbsolutePercentageError`: the size of an error as a share of what is right.

use std::string::String;

use super::column_sums::{ColumnSums, error_metric};
use super::{Metric, MetricOn, MetricRows};

error_metric! {
    /// `mape = Σ weight · |y − t| / max(|t|, 2.2e-16) / Σ weight`, the mean over columns: 1 is 100 %. A
    /// target of 0 makes it huge. Where the loss reads scores, it is of the probabilities that they make.
    ///
    /// Memory: one number a column. Scikit-learn's `mean_absolute_percentage_error`; Keras's
    /// `MeanAbsolutePercentageError` is 100 times as much, with 1e-7 for the least target; PyTorch has it in
    /// `torchmetrics`.
    ///
    /// ```
    /// use nn_runtime::losses::Link;
    /// use nn_runtime::train::metrics::{MeanAbsolutePercentageError, Metric, MetricOn, MetricRows};
    ///
    /// let mut metric = MeanAbsolutePercentageError::new();
    /// let (y, t) = ([2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0]);
    /// metric.update(&MetricRows { y: &y, width: 1, targets: &t, weight: 1.0, link: Link::Identity });
    /// assert!((metric.value() - 0.327381).abs() < 1e-6);
    /// ```
    pub struct MeanAbsolutePercentageError: "mape" = |y: f64, t: f64| (y - t).abs() / t.abs().max(f64::EPSILON), core::convert::identity;
}
