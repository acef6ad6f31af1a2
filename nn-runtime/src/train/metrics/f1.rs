//! `F1`: precision and recall in one.

use std::format;
use std::marker::PhantomData;
use std::string::String;
use std::vec::Vec;

use super::class_counts::{Average, ClassCounts, class_fault, class_score, label_fault, threshold_fault};
use super::{Metric, MetricOn, MetricRows};
use crate::losses::Link;

class_score! {
    /// `f1 = 2 · hits / (answered + actual)`, of each class: the harmonic mean of precision and recall; 0
    /// where it is not defined. Over classes by [`macro_avg`](F1::macro_avg) and others; what is a class and
    /// an answer as for [`Precision`](super::Precision).
    ///
    /// Memory: three numbers a class. Scikit-learn's `f1_score`, Keras's `F1Score` (whose macro average
    /// counts classes that do not occur as 0); PyTorch has it in `torchmetrics`.
    ///
    /// ```
    /// use nn_runtime::losses::Link;
    /// use nn_runtime::train::metrics::{F1, Metric, MetricOn, MetricRows};
    ///
    /// let mut f1 = F1::macro_avg();
    /// let y = [0.1, 0.9, 0.4, 0.6, 0.8, 0.2]; // answers 1, 1, 0
    /// f1.update(&MetricRows { y: &y, width: 2, targets: &[1, 0, 0], weight: 1.0, link: Link::Identity });
    /// assert!((f1.value() - 2.0 / 3.0).abs() < 1e-12);
    /// ```
    pub struct F1: "f1" = |count| [2.0 * count.hits, count.answered + count.actual];
}
