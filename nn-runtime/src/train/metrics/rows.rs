//! Rows of outputs as a metric sees them. In: outputs of a batch, targets, what a loss reads the outputs as;
//! out: decisions and probabilities.

use std::vec::Vec;

use crate::losses::Link;

/// Some rows of an output with their targets. A row is the output's last axis: a sample of `[classes]`, a
/// step of `[steps, classes]`.
#[derive(Clone, Copy, Debug)]
pub struct MetricRows<'a, T> {
    /// `[rows, width]`: as the network predicts, or scores (logits) where the loss reads those, as `link`
    /// tells.
    pub y: &'a [f32],
    /// Numbers of a row of `y`, at least 1.
    pub width: usize,
    /// `[rows]` labels, or `[rows, width]` values.
    pub targets: &'a [T],
    /// What each of these rows weighs, above 0.
    pub weight: f64,
    /// What makes predictions of `y`.
    pub link: Link,
}

impl<'a, T> MetricRows<'a, T> {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.y.len() / self.width
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.y.is_empty()
    }

    /// Each row of `y`, `[width]`, with its target: one label, or `[width]` values.
    pub fn pairs(&self) -> impl Iterator<Item = (&'a [f32], &'a [T])> {
        let per = self.targets.len() / self.len().max(1);
        self.y.chunks_exact(self.width).zip(self.targets.chunks_exact(per.max(1)))
    }

    /// Makes `to` the predictions of a row of `y`: the softmax or the sigmoid of scores, or the numbers
    /// themselves. What is NaN stays so.
    pub fn predict(&self, y: &[f32], to: &mut Vec<f64>) {
        to.clear();
        let y = y.iter().map(|&y| f64::from(y));
        match self.link {
            Link::Identity => to.extend(y),
            Link::Sigmoid => to.extend(y.map(sigmoid)),
            Link::Softmax => {
                let most = y.clone().fold(f64::NEG_INFINITY, f64::max);
                to.extend(y.map(|y| (y - most).exp()));
                let sum: f64 = to.iter().sum();
                to.iter_mut().for_each(|p| *p /= sum);
            }
        }
    }

    /// The class with the highest number; of equal ones the first, none where one is NaN.
    pub fn class(&self, y: &[f32]) -> Option<usize> {
        (!y.iter().any(|y| y.is_nan())).then(|| argmax(y))
    }

    /// The number that a prediction above `threshold` begins above.
    pub(super) fn cut(&self, threshold: f64) -> f64 {
        match self.link {
            // On the scores themselves: near 0 they tell apart what probabilities near a half do not.
            Link::Sigmoid => threshold.ln() - (-threshold).ln_1p(),
            Link::Softmax | Link::Identity => threshold,
        }
    }
}

fn sigmoid(z: f64) -> f64 {
    let e = (-z.abs()).exp();
    if z > 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

/// Where the largest number stands; of equal ones the first.
pub(super) fn argmax(x: &[f32]) -> usize {
    x.iter().enumerate().fold(0, |best, (i, x_i)| if *x_i > x[best] { i } else { best })
}
