//! `AveragePrecision`: precision over all thresholds.

use std::string::String;

use super::class_counts::label_fault;
use super::ranking::Ranking;
use super::{Metric, MetricOn, MetricRows};
use crate::losses::Link;

/// `area = Σ (yes − yes before) / all yes · yes / (yes + no)` over thresholds from the highest score down:
/// precision, weighted by what each threshold adds to recall.
///
/// Of two classes it is that of class 1; of more, each against the rest, the mean over classes; of values of
/// 0 and 1 the mean over columns. A class without a yes has none and is left out (scikit-learn takes 0 for
/// it). Exact: it keeps 9 bytes a class and 8 a row of all rows seen, and sorts them at the end.
/// Scikit-learn's `average_precision_score`; near Keras's `AUC(curve="PR")`, which takes 200 thresholds;
/// PyTorch has it in `torchmetrics`.
///
/// ```
/// use nn_runtime::losses::Link;
/// use nn_runtime::train::metrics::{AveragePrecision, Metric, MetricOn, MetricRows};
///
/// let mut area = AveragePrecision::new();
/// let y = [0.1, 0.4, 0.35, 0.8];
/// let targets = [0.0, 0.0, 1.0, 1.0];
/// let rows = MetricRows { y: &y, width: 1, targets: &targets, weight: 1.0, link: Link::Identity };
/// area.update(&rows);
/// assert!((area.value() - 5.0 / 6.0).abs() < 1e-12);
/// ```
#[derive(Clone, PartialEq, Default, Debug)]
pub struct AveragePrecision {
    ranking: Ranking,
}

impl AveragePrecision {
    /// Without rows yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Metric for AveragePrecision {
    type Value = f64;

    fn name(&self) -> String {
        "average_precision".into()
    }

    fn value(&self) -> f64 {
        self.ranking.mean(|curve, all| {
            let (mut before, mut area) = (0.0, 0.0);
            for above in curve {
                area += (above.yes - before) * above.yes / (above.yes + above.no);
                before = above.yes;
            }
            (all.yes > 0.0).then(|| area / all.yes)
        })
    }

    fn reset(&mut self) {
        self.ranking.reset();
    }
}

impl MetricOn<u32> for AveragePrecision {
    fn fault(&self, width: usize, _: Link, labels: &[u32]) -> Option<String> {
        label_fault("average_precision", width, labels)
    }

    fn update(&mut self, rows: &MetricRows<u32>) {
        self.ranking.add_labels(rows);
    }
}

impl MetricOn<f32> for AveragePrecision {
    fn update(&mut self, rows: &MetricRows<f32>) {
        self.ranking.add_values(rows);
    }
}
