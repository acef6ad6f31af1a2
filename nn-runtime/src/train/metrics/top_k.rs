//! `TopK`: the share of rows whose class is among the likeliest.

use std::format;
use std::string::String;

use super::class_counts::label_fault;
use super::{Metric, MetricOn, MetricRows};
use crate::losses::Link;

/// `top k = Σ weight of rows whose label is among the k highest numbers / Σ weight`. Of equal numbers the
/// later ones are higher, as in scikit-learn; a row with NaN is wrong.
///
/// Memory: two numbers. Scikit-learn's `top_k_accuracy_score`, Keras's `SparseTopKCategoricalAccuracy` (which
/// counts a number as among the highest where k others equal it); PyTorch has it in `torchmetrics`.
///
/// ```
/// use nn_runtime::losses::Link;
/// use nn_runtime::train::metrics::{Metric, MetricOn, MetricRows, TopK};
///
/// let mut top = TopK::new(2);
/// let y = [0.1, 0.7, 0.2, 0.6, 0.3, 0.1];
/// top.update(&MetricRows { y: &y, width: 3, targets: &[2, 2], weight: 1.0, link: Link::Identity });
/// assert_eq!(top.value(), 0.5);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TopK {
    k: usize,
    right: f64,
    all: f64,
}

impl TopK {
    /// Among the `k` highest.
    pub const fn new(k: usize) -> Self {
        TopK { k, right: 0.0, all: 0.0 }
    }
}

impl Metric for TopK {
    type Value = f64;

    fn name(&self) -> String {
        format!("top_{}", self.k)
    }

    fn value(&self) -> f64 {
        self.right / self.all
    }

    fn reset(&mut self) {
        (self.right, self.all) = (0.0, 0.0);
    }
}

impl MetricOn<u32> for TopK {
    fn fault(&self, width: usize, _: Link, labels: &[u32]) -> Option<String> {
        match self.k {
            0 => Some("`top_0`: expected at least the 1 highest, found 0\nhelp: `TopK::new(5)`".into()),
            _ => label_fault(&self.name(), width, labels),
        }
    }

    fn update(&mut self, rows: &MetricRows<u32>) {
        for (y, label) in rows.pairs() {
            let label = label[0] as usize;
            let higher = |(i, other): (usize, &f32)| *other > y[label] || *other == y[label] && i > label;
            let nan = y.iter().any(|y| y.is_nan());
            let right = !nan && y.iter().enumerate().filter(|&pair| higher(pair)).count() < self.k;
            self.right += if right { rows.weight } else { 0.0 };
            self.all += rows.weight;
        }
    }
}
