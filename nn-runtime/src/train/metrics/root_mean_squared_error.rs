//! `RootMeanSquaredError`: the size of an error, large ones counting more.

use std::string::String;

use super::column_sums::{ColumnSums, error_metric};
use super::{Metric, MetricOn, MetricRows};

error_metric! {
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
    pub struct RootMeanSquaredError: "rmse" = |y: f64, t: f64| (y - t) * (y - t), f64::sqrt;
}
