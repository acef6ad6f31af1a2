//! `Precision`: of what was answered, how much was meant.

use std::format;
use std::marker::PhantomData;
use std::string::String;
use std::vec::Vec;

use super::class_counts::{Average, ClassCounts, class_fault, class_score, label_fault, threshold_fault};
use super::{Metric, MetricOn, MetricRows};
use crate::losses::Link;

class_score! {
    /// `precision = hits / answered`, of each class: the share of the rows answered with it that are of it; 0
    /// where no row is. Over classes by [`macro_avg`](Precision::macro_avg) and others.
    ///
    /// On labels the answer is the class of the highest number. Values of 0 and 1 are a yes or no each, and
    /// columns are classes of their own; distributions (a loss on classes) are of their likeliest class.
    /// Memory: three numbers a class. Scikit-learn's `precision_score`, Keras's `Precision`; PyTorch has it
    /// in `torchmetrics`.
    ///
    /// ```
    /// use nn_runtime::losses::Link;
    /// use nn_runtime::train::metrics::{Metric, MetricOn, MetricRows, Precision};
    ///
    /// let mut precision = Precision::of_class(1);
    /// let y = [0.1, 0.9, 0.4, 0.6, 0.8, 0.2]; // answers 1, 1, 0
    /// let rows = MetricRows { y: &y, width: 2, targets: &[1, 0, 0], weight: 1.0, link: Link::Identity };
    /// precision.update(&rows);
    /// assert_eq!(precision.value(), 0.5);
    /// ```
    pub struct Precision: "precision" = |count| [count.hits, count.answered];
}
