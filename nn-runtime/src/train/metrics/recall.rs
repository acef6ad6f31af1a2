//! `Recall`: of what was meant, how much was answered.

use std::format;
use std::marker::PhantomData;
use std::string::String;
use std::vec::Vec;

use super::class_counts::{Average, ClassCounts, class_fault, class_score, label_fault, threshold_fault};
use super::{Metric, MetricOn, MetricRows};
use crate::losses::Link;

class_score! {
    /// `recall = hits / actual`, of each class: the share of its rows that were answered with it; 0 where
    /// there are none. Over classes by [`macro_avg`](Recall::macro_avg) and others; what is a class and an
    /// answer as for [`Precision`](super::Precision).
    ///
    /// Memory: three numbers a class. Scikit-learn's `recall_score`, Keras's `Recall`; PyTorch has it in
    /// `torchmetrics`.
    ///
    /// ```
    /// use nn_runtime::losses::Link;
    /// use nn_runtime::train::metrics::{Metric, MetricOn, MetricRows, Recall};
    ///
    /// let mut recall = Recall::per_class();
    /// let y = [0.1, 0.9, 0.4, 0.6, 0.8, 0.2]; // answers 1, 1, 0
    /// let rows = MetricRows { y: &y, width: 2, targets: &[1, 0, 0], weight: 1.0, link: Link::Identity };
    /// recall.update(&rows);
    /// assert_eq!(recall.value(), [0.5, 1.0]);
    /// ```
    pub struct Recall: "recall" = |count| [count.hits, count.actual];
}
