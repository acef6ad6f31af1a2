//! `RocAuc`: how surely a yes is ranked above a no.

use std::string::String;

use super::class_counts::label_fault;
use super::ranking::{Above, Ranking};
use super::{Metric, MetricOn, MetricRows};
use crate::losses::Link;

/// `area = Σ (no − no before) · (yes + yes before) / 2 / (all yes · all no)` over thresholds from the highest
/// score down: the area under the curve of hits against false alarms, which is the probability that a yes
/// has a higher score than a no.
///
/// Of two classes it is that of class 1; of more, each against the rest, the mean over classes; of values of
/// 0 and 1 the mean over columns. A class of which there are only yes or only no has none and is left out.
/// Exact: it keeps 9 bytes a class and 8 a row of all rows seen, and sorts them at the end.
/// Scikit-learn's `roc_auc_score(multi_class="ovr")`; Keras's `AUC` takes 200 thresholds; PyTorch has it in
/// `torchmetrics`. Fawcett, "An introduction to ROC analysis", 2006.
///
/// ```
/// use nn_runtime::losses::Link;
/// use nn_runtime::train::metrics::{Metric, MetricOn, MetricRows, RocAuc};
///
/// let mut area = RocAuc::new();
/// let y = [0.1, 0.4, 0.35, 0.8];
/// let targets = [0.0, 0.0, 1.0, 1.0];
/// let rows = MetricRows { y: &y, width: 1, targets: &targets, weight: 1.0, link: Link::Identity };
/// area.update(&rows);
/// assert_eq!(area.value(), 0.75);
/// ```
#[derive(Clone, PartialEq, Default, Debug)]
pub struct RocAuc {
    ranking: Ranking,
}

impl RocAuc {
    /// Without rows yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Metric for RocAuc {
    type Value = f64;

    fn name(&self) -> String {
        "roc_auc".into()
    }

    fn value(&self) -> f64 {
        self.ranking.mean(|curve, all| {
            let mut before = Above::default();
            let mut area = 0.0;
            for &above in curve {
                area += (above.no - before.no) * (above.yes + before.yes) / 2.0;
                before = above;
            }
            (all.yes > 0.0 && all.no > 0.0).then(|| area / all.yes / all.no)
        })
    }

    fn reset(&mut self) {
        self.ranking.reset();
    }
}

impl MetricOn<u32> for RocAuc {
    fn fault(&self, width: usize, _: Link, labels: &[u32]) -> Option<String> {
        label_fault("roc_auc", width, labels)
    }

    fn update(&mut self, rows: &MetricRows<u32>) {
        self.ranking.add_labels(rows);
    }
}

impl MetricOn<f32> for RocAuc {
    fn update(&mut self, rows: &MetricRows<f32>) {
        self.ranking.add_values(rows);
    }
}
