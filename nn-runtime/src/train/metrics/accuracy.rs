//! `Accuracy`: the share of rows answered rightly.

use std::string::String;

use super::class_counts::{label_fault, threshold_fault};
use super::rows::argmax;
use super::{Metric, MetricOn, MetricRows};
use crate::losses::Link;

/// `accuracy = Σ weight of rows answered rightly / Σ weight`.
///
/// On labels, and on distributions, a row is right where the highest number stands at its class; of equal
/// ones the first counts. Of values of 0 and 1 all of a row must be right. A row with NaN is wrong. Memory:
/// two numbers. Scikit-learn's `accuracy_score`, Keras's `SparseCategoricalAccuracy`, `CategoricalAccuracy`
/// and, where rows have one number, `BinaryAccuracy`; PyTorch has it in `torchmetrics`.
///
/// ```
/// use nn_runtime::losses::Link;
/// use nn_runtime::train::metrics::{Accuracy, Metric, MetricOn, MetricRows};
///
/// let mut accuracy = Accuracy::new();
/// let rows = MetricRows { y: &[0.1, 0.9], width: 2, targets: &[1], weight: 3.0, link: Link::Identity };
/// accuracy.update(&rows);
/// let rows = MetricRows { y: &[0.2, 0.8], width: 2, targets: &[0], weight: 1.0, link: Link::Identity };
/// accuracy.update(&rows);
/// assert_eq!(accuracy.value(), 0.75);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Accuracy {
    right: f64,
    all: f64,
    threshold: f64,
}

impl Accuracy {
    /// Without rows yet.
    pub const fn new() -> Self {
        Accuracy { right: 0.0, all: 0.0, threshold: 0.5 }
    }

    /// Of values of 0 and 1: the prediction above which an answer is yes, 0.5 where none is said. Where the
    /// loss reads scores, it is a probability all the same.
    pub const fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    fn add(&mut self, right: usize, rows: usize, weight: f64) {
        self.right += weight * right as f64;
        self.all += weight * rows as f64;
    }
}

impl Default for Accuracy {
    fn default() -> Self {
        Accuracy::new()
    }
}

impl Metric for Accuracy {
    type Value = f64;

    fn name(&self) -> String {
        "accuracy".into()
    }

    fn value(&self) -> f64 {
        self.right / self.all
    }

    fn reset(&mut self) {
        (self.right, self.all) = (0.0, 0.0);
    }
}

impl MetricOn<u32> for Accuracy {
    fn fault(&self, width: usize, _: Link, labels: &[u32]) -> Option<String> {
        label_fault("accuracy", width, labels)
    }

    fn update(&mut self, rows: &MetricRows<u32>) {
        let right = rows.pairs().filter(|(y, label)| rows.class(y) == Some(label[0] as usize)).count();
        self.add(right, rows.len(), rows.weight);
    }
}

impl MetricOn<f32> for Accuracy {
    fn fault(&self, _: usize, link: Link, _: &[f32]) -> Option<String> {
        threshold_fault("accuracy", self.threshold, link)
    }

    fn update(&mut self, rows: &MetricRows<f32>) {
        let cut = rows.cut(self.threshold);
        let yes = |(&y, &t): (&f32, &f32)| !y.is_nan() && (f64::from(y) > cut) == (t > 0.5);
        let right = rows.pairs().filter(|(y, t)| match rows.link {
            Link::Softmax => rows.class(y) == Some(argmax(t)),
            Link::Sigmoid | Link::Identity => y.iter().zip(*t).all(yes),
        });
        self.add(right.count(), rows.len(), rows.weight);
    }
}
