//! `ConfusionMatrix`: which class was taken for which.

use std::fmt;
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

use super::class_counts::{label_fault, threshold_fault};
use super::rows::argmax;
use super::{Metric, MetricOn, MetricRows, MetricValue};
use crate::losses::Link;

/// `matrix[actual][answered] = Σ weight`: the metric, and what it comes to. Rows with NaN answer nothing and
/// are left out.
///
/// Labels, distributions, or one yes or no a row (no is class 0). Memory: one number for each two classes.
/// Scikit-learn's `confusion_matrix`; PyTorch has it in `torchmetrics`, Keras has none.
///
/// ```
/// use nn_runtime::losses::Link;
/// use nn_runtime::train::metrics::{ConfusionMatrix, MetricOn, MetricRows};
///
/// let mut matrix = ConfusionMatrix::new();
/// let y = [0.1, 0.9, 0.4, 0.6, 0.8, 0.2]; // answers 1, 1, 0
/// matrix.update(&MetricRows { y: &y, width: 2, targets: &[1, 0, 0], weight: 1.0, link: Link::Identity });
/// assert_eq!((matrix.get(0, 1), matrix.rows()), (1.0, vec![vec![1.0, 1.0], vec![0.0, 1.0]]));
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct ConfusionMatrix {
    /// `[classes, classes]`, the actual class first.
    counts: Vec<f64>,
    classes: usize,
    threshold: f64,
}

impl ConfusionMatrix {
    /// Without rows yet.
    pub const fn new() -> Self {
        ConfusionMatrix { counts: Vec::new(), classes: 0, threshold: 0.5 }
    }

    /// Of values of 0 and 1: the prediction above which an answer is yes, 0.5 where none is said.
    pub const fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// How many classes there are; 0 before the first row.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// What rows of class `actual` weigh that were answered with `answered`.
    ///
    /// # Panics
    /// A class is not below [`classes`](ConfusionMatrix::classes).
    pub fn get(&self, actual: usize, answered: usize) -> f64 {
        assert!(actual < self.classes && answered < self.classes, "expected classes below {}", self.classes);
        self.counts[actual * self.classes + answered]
    }

    /// A row for each actual class.
    pub fn rows(&self) -> Vec<Vec<f64>> {
        self.counts.chunks(self.classes.max(1)).map(<[f64]>::to_vec).collect()
    }

    fn of(&mut self, classes: usize) {
        if self.classes != classes {
            (self.counts, self.classes) = (vec![0.0; classes * classes], classes);
        }
    }

    fn add(&mut self, actual: usize, answered: Option<usize>, weight: f64) {
        if let Some(answered) = answered {
            self.counts[actual * self.classes + answered] += weight;
        }
    }
}

impl Default for ConfusionMatrix {
    fn default() -> Self {
        ConfusionMatrix::new()
    }
}

/// The actual classes downwards, the answers to the right.
impl fmt::Display for ConfusionMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.counts.iter().all(|count| count.fract() == 0.0) { 0 } else { 2 };
        let cells: Vec<String> = self.counts.iter().map(|count| format!("{count:.digits$}")).collect();
        let heads = self.classes.saturating_sub(1).max(1).ilog10() as usize + 1;
        let width = cells.iter().map(String::len).max().unwrap_or(0).max(heads) + 1;
        let side = heads.max("actual".len());
        write!(f, "{:side$}", "actual")?;
        (0..self.classes).try_for_each(|class| write!(f, "{class:>width$}"))?;
        for (class, row) in cells.chunks(self.classes.max(1)).enumerate() {
            write!(f, "\n{class:>side$}")?;
            row.iter().try_for_each(|cell| write!(f, "{cell:>width$}"))?;
        }
        Ok(())
    }
}

/// A history has no use for a table.
impl MetricValue for ConfusionMatrix {
    const BEHIND: Option<&'static str> = None;

    fn numbers(&self) -> Vec<(String, f64)> {
        Vec::new()
    }
}

impl Metric for ConfusionMatrix {
    type Value = ConfusionMatrix;

    fn name(&self) -> String {
        "confusion_matrix".into()
    }

    fn value(&self) -> ConfusionMatrix {
        self.clone()
    }

    fn reset(&mut self) {
        self.counts.fill(0.0);
    }
}

impl MetricOn<u32> for ConfusionMatrix {
    fn fault(&self, width: usize, _: Link, labels: &[u32]) -> Option<String> {
        label_fault("confusion_matrix", width, labels)
    }

    fn update(&mut self, rows: &MetricRows<u32>) {
        self.of(rows.width);
        rows.pairs().for_each(|(y, label)| self.add(label[0] as usize, rows.class(y), rows.weight));
    }
}

impl MetricOn<f32> for ConfusionMatrix {
    fn fault(&self, width: usize, link: Link, _: &[f32]) -> Option<String> {
        if link != Link::Softmax && width != 1 {
            return Some(format!(
                "`confusion_matrix`: expected rows of one yes or no, or of classes, found {width} values a row\nhelp: take \
                 `F1::per_class()`, or a matrix of each column"
            ));
        }
        threshold_fault("confusion_matrix", self.threshold, link)
    }

    fn update(&mut self, rows: &MetricRows<f32>) {
        if rows.link == Link::Softmax {
            self.of(rows.width);
            return rows.pairs().for_each(|(y, t)| self.add(argmax(t), rows.class(y), rows.weight));
        }
        self.of(2);
        let cut = rows.cut(self.threshold);
        for (&y, &t) in rows.y.iter().zip(rows.targets) {
            let answered = (!y.is_nan()).then(|| usize::from(f64::from(y) > cut));
            self.add(usize::from(t > 0.5), answered, rows.weight);
        }
    }
}
