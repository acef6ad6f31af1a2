//! `MeanIou`: how much of what was meant or answered is both.

use std::string::String;

use super::class_counts::{Average, ClassCounts, label_fault, threshold_fault};
use super::{Metric, MetricOn, MetricRows};
use crate::losses::Link;

/// `iou = hits / (answered + actual - hits)`, the mean over the classes that occur in targets or answers:
/// intersection over union. What is a class and an answer as for [`Precision`](super::Precision); of
/// pictures, rows are pixels.
///
/// Memory: three numbers a class. Scikit-learn's `jaccard_score(average="macro")`, Keras's `MeanIoU`; PyTorch
/// has it in `torchmetrics`.
///
/// ```
/// use nn_runtime::losses::Link;
/// use nn_runtime::train::metrics::{MeanIou, Metric, MetricOn, MetricRows};
///
/// let mut iou = MeanIou::new();
/// let y = [0.1, 0.9, 0.4, 0.6, 0.8, 0.2]; // answers 1, 1, 0
/// iou.update(&MetricRows { y: &y, width: 2, targets: &[1, 0, 0], weight: 1.0, link: Link::Identity });
/// assert_eq!(iou.value(), 0.5);
/// ```
#[derive(Clone, PartialEq, Default, Debug)]
pub struct MeanIou {
    counts: ClassCounts,
}

impl MeanIou {
    /// Without rows yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of values of 0 and 1: the prediction above which an answer is yes, 0.5 where none is said.
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.counts.threshold = threshold;
        self
    }
}

impl Metric for MeanIou {
    type Value = f64;

    fn name(&self) -> String {
        "mean_iou".into()
    }

    fn value(&self) -> f64 {
        self.counts.average(Average::Macro, |count| [count.hits, count.answered + count.actual - count.hits])
    }

    fn reset(&mut self) {
        self.counts.reset();
    }
}

impl MetricOn<u32> for MeanIou {
    fn fault(&self, width: usize, _: Link, labels: &[u32]) -> Option<String> {
        label_fault("mean_iou", width, labels)
    }

    fn update(&mut self, rows: &MetricRows<u32>) {
        self.counts.add_labels(rows);
    }
}

impl MetricOn<f32> for MeanIou {
    fn fault(&self, _: usize, link: Link, _: &[f32]) -> Option<String> {
        threshold_fault("mean_iou", self.counts.threshold, link)
    }

    fn update(&mut self, rows: &MetricRows<f32>) {
        self.counts.add_values(rows);
    }
}
