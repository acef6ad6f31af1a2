//! `MeanAbsoluteError`: the size of an error.

use std::string::String;

use super::column_sums::ColumnSums;
use super::{Metric, MetricOn, MetricRows};

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
#[derive(Clone, PartialEq, Default, Debug)]
pub struct MeanAbsoluteError {
    sums: ColumnSums<f64>,
}

impl MeanAbsoluteError {
    /// Without rows yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Metric for MeanAbsoluteError {
    type Value = f64;

    fn name(&self) -> String {
        "mae".into()
    }

    fn lower_is_better(&self) -> bool {
        true
    }

    fn value(&self) -> f64 {
        self.sums.mean(|sum| sum / self.sums.weight)
    }

    fn reset(&mut self) {
        self.sums = ColumnSums::default();
    }
}

impl MetricOn<f32> for MeanAbsoluteError {
    fn update(&mut self, rows: &MetricRows<f32>) {
        self.sums.add(rows, |sum, y, t, [weight, _]| *sum += weight * (y - t).abs());
    }
}
