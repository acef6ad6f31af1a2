//! `LogLoss`: how improbable the targets were.

use std::string::String;

use super::class_counts::label_fault;
use super::{Metric, MetricOn, MetricRows};
use crate::losses::Link;

/// `-Σ weight · ln p(target) / Σ weight`, with natural logarithms; of values of 0 and 1
/// `-(t · ln p + (1 - t) · ln(1 - p))`, the mean over a row's numbers; of distributions `-Σ t · ln p`.
///
/// Where the loss reads scores, it is computed from them, without a probability that rounds to 0. Where a
/// network's outputs are the probabilities themselves, they are held within 2.2e-16 of 0 and 1, as in
/// scikit-learn; what is no probability makes it NaN. Memory: two numbers. Scikit-learn's `log_loss`, Keras's
/// `SparseCategoricalCrossentropy`, `CategoricalCrossentropy` and `BinaryCrossentropy` (held within 1e-7), in
/// PyTorch the losses of the same names.
///
/// ```
/// use nn_runtime::losses::Link;
/// use nn_runtime::train::metrics::{LogLoss, Metric, MetricOn, MetricRows};
///
/// let mut loss = LogLoss::new();
/// loss.update(&MetricRows { y: &[0.25, 0.75], width: 2, targets: &[0], weight: 1.0, link: Link::Identity });
/// assert_eq!(loss.value(), 4f64.ln());
/// ```
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct LogLoss {
    sum: f64,
    all: f64,
}

impl LogLoss {
    /// Without rows yet.
    pub const fn new() -> Self {
        LogLoss { sum: 0.0, all: 0.0 }
    }
}

/// ln p of a probability that is held away from 0 and 1.
fn ln(p: f64) -> f64 {
    match (0.0..=1.0).contains(&p) {
        true => p.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln(),
        false => f64::NAN,
    }
}

/// What is subtracted from a row's scores to make logarithms of probabilities.
fn log_sum_exp(y: &[f32]) -> f64 {
    let y = y.iter().map(|&y| f64::from(y));
    let most = y.clone().fold(f64::NEG_INFINITY, f64::max);
    most + y.map(|y| (y - most).exp()).sum::<f64>().ln()
}

/// -(t · ln p + (1 - t) · ln(1 - p)) of a score or a probability.
fn binary(link: Link, y: f64, t: f64) -> f64 {
    match link {
        Link::Sigmoid => (-y.abs()).exp().ln_1p() + if y > 0.0 { (1.0 - t) * y } else { -t * y },
        Link::Softmax | Link::Identity => -t * ln(y) - (1.0 - t) * ln(1.0 - y),
    }
}

impl Metric for LogLoss {
    type Value = f64;

    fn name(&self) -> String {
        "log_loss".into()
    }

    fn lower_is_better(&self) -> bool {
        true
    }

    fn value(&self) -> f64 {
        self.sum / self.all
    }

    fn reset(&mut self) {
        *self = LogLoss::new();
    }
}

impl MetricOn<u32> for LogLoss {
    fn fault(&self, width: usize, _: Link, labels: &[u32]) -> Option<String> {
        label_fault("log_loss", width, labels)
    }

    fn update(&mut self, rows: &MetricRows<u32>) {
        for (y, label) in rows.pairs() {
            let own = f64::from(y[label[0] as usize]);
            let loss = match rows.link {
                Link::Softmax | Link::Sigmoid => log_sum_exp(y) - own,
                Link::Identity => -ln(own),
            };
            self.sum += rows.weight * loss;
            self.all += rows.weight;
        }
    }
}

impl MetricOn<f32> for LogLoss {
    fn update(&mut self, rows: &MetricRows<f32>) {
        for (y, t) in rows.pairs() {
            let pairs = y.iter().zip(t).map(|(&y, &t)| (f64::from(y), f64::from(t)));
            let loss: f64 = match rows.link {
                Link::Softmax => {
                    let log = log_sum_exp(y);
                    pairs.map(|(y, t)| t * (log - y)).sum()
                }
                link => pairs.map(|(y, t)| binary(link, y, t)).sum::<f64>() / rows.width as f64,
            };
            self.sum += rows.weight * loss;
            self.all += rows.weight;
        }
    }
}
