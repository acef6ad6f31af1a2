//! `ExplainedVariance`: the share of the targets' variance that is predicted, whatever the offset.

use std::string::String;

use super::column_sums::{ColumnSums, Spread, explained};
use super::{Metric, MetricOn, MetricRows};

/// `1 − variance(t − y) / variance(t)` of each column, the mean over columns: as [`R2`](super::R2), but
/// an offset that all rows have does not count. A column whose targets are all alike has 1 where the
/// error is too, else 0. Where the loss reads scores, it is of the probabilities that they make.
///
/// Memory: four numbers a column. Scikit-learn's `explained_variance_score`; PyTorch has it in
/// `torchmetrics`, Keras has none.
///
/// ```
/// use nn_runtime::losses::Link;
/// use nn_runtime::train::metrics::{ExplainedVariance, Metric, MetricOn, MetricRows};
///
/// let mut metric = ExplainedVariance::new();
/// let (y, t) = ([2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0]);
/// metric.update(&MetricRows { y: &y, width: 1, targets: &t, weight: 1.0, link: Link::Identity });
/// assert!((metric.value() - 0.9571734).abs() < 1e-6);
/// ```
#[derive(Clone, PartialEq, Default, Debug)]
pub struct ExplainedVariance {
    sums: ColumnSums<[Spread; 2]>,
}

impl ExplainedVariance {
    /// Without rows yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Metric for ExplainedVariance {
    type Value = f64;

    fn name(&self) -> String {
        "explained_variance".into()
    }

    fn value(&self) -> f64 {
        self.sums.mean(|[error, spread]| explained(error.squares, spread.squares))
    }

    fn reset(&mut self) {
        self.sums = ColumnSums::default();
    }
}

impl MetricOn<f32> for ExplainedVariance {
    fn update(&mut self, rows: &MetricRows<f32>) {
        self.sums.add(rows, |[error, spread], y, t, [weight, all]| {
            error.add(t - y, weight, all);
            spread.add(t, weight, all);
        });
    }
}
