//! `MeanAbsoluteError`: the size of an error.

use std::string::String;

use super::column_sums::{ColumnSums, error_metric};
use super::{Metric, MetricOn, MetricRows};

error_metric! {
    /// `mae = Σ weight · |y − t| / Σ weight`, the mean over columns. Where the loss reads scores, it is of
    /// the probabilities that they make.
    ///
    /// Memory: one number a column. Scikit-learn's `mean_absolute_error`, Keras's metric `MeanAbsoluteError`,
    /// in PyTorch the loss `L1Loss`; here the loss is [`Mae`](crate::losses::Mae).
    ///
    /// ```
    /// use nn_runtime::losses::Link;
    /// use nn_runtime::train::metrics::{MeanAbsoluteError, Metric, MetricOn, MetricRows};
    ///
    /// let mut metric = MeanAbsoluteError::new();
    /// let (y, t) = ([2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0]);
    /// metric.update(&MetricRows { y: &y, width: 1, targets: &t, weight: 1.0, link: Link::Identity });
    /// assert!((metric.value() - 0.5).abs() < 1e-6);
    /// ```
    pub struct MeanAbsoluteError: "mae" = |y: f64, t: f64| (y - t).abs(), core::convert::identity;
}
