//! `CrossEntropy`: which of several classes. The fused pair of softmax and logarithm is the kernels'.

use crate::text::{String, format};

use super::elementwise::fault;
use super::{Link, Loss, LossOn};
use nn_kernels::simd::Isa;
use nn_kernels::softmax::{self, argmax};

/// `-Σ_i t[i] · ln softmax(z)[i]` over the classes of a row, and then the mean over rows.
///
/// It reads the scores `z`: a network may end in `Softmax` or `LogSoftmax`, which is then left out while
/// training, or in `Dense`. Targets: labels, `u32`, one class for each row (then `t` is 1 at the label and 0
/// elsewhere), or distributions, `f32`, as many numbers as classes. There are at least two classes.
///
/// | argument | here | PyTorch's `CrossEntropyLoss` | Keras's `CategoricalCrossentropy` |
/// |---|---|---|---|
/// | `label_smoothing` s: `t` becomes `(1 - s) · t + s / classes` | `0.0` | `label_smoothing=0.0` | `label_smoothing=0.0` |
///
/// With [`Dataset::class_weights`](crate::data::Dataset::class_weights) a smoothed row counts by the weight
/// of its label, as a whole, as with Keras's `class_weight`. PyTorch's `weight` weighs each class's share of
/// the smoothed target instead: scores `[1, 0]` with label 0, weights 1 and 3 and a smoothing of 0.2 come to
/// 0.4133 here and to 0.6759 there.
///
/// Keras reads probabilities unless `from_logits=True`. Smoothing: Szegedy et al., "Rethinking the Inception
/// Architecture", 2015.
///
/// ```
/// use nn_runtime::losses::{CrossEntropy, LossOn};
/// use nn_runtime::Isa;
///
/// let labels: &[u32] = &[1];
/// let loss = CrossEntropy::new().value(Isa::detect(), 2, &[0.0, 0.0], labels);
/// assert!((loss - 2f64.ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CrossEntropy {
    label_smoothing: f32,
}

impl CrossEntropy {
    /// Without smoothing.
    #[allow(clippy::new_without_default, reason = "as every loss, it is made by its name")]
    pub const fn new() -> Self {
        CrossEntropy { label_smoothing: 0.0 }
    }

    /// The share of each target that is spread evenly over all classes.
    ///
    /// # Panics
    /// `!(0.0..1.0).contains(&share)`
    #[track_caller]
    pub fn label_smoothing(mut self, share: f32) -> Self {
        assert!((0.0..1.0).contains(&share), "expected a label smoothing from 0 up to but without 1, found {share}");
        self.label_smoothing = share;
        self
    }
}

/// The class with the highest score; none where a score is NaN.
pub(super) fn chosen(z: &[f32]) -> Option<usize> {
    (!z.iter().any(|z| z.is_nan())).then(|| argmax(z))
}

impl Loss for CrossEntropy {
    const LOGITS: bool = true;
    const LINK: Link = Link::Softmax;

    fn settings(&self) -> String {
        crate::text::format!("{self:?}")
    }
}

impl LossOn<[u32]> for CrossEntropy {
    fn gradient(&self, isa: Isa, width: usize, y: &[f32], target: &[u32], scale: f32, dy: &mut [f32]) -> f64 {
        softmax::cross_entropy_labels(isa, width, y, target, scale, self.label_smoothing, dy)
    }

    fn value(&self, isa: Isa, width: usize, y: &[f32], target: &[u32]) -> f64 {
        softmax::cross_entropy_labels_value(isa, width, y, target, self.label_smoothing)
    }

    fn fault(&self, width: usize, target: &[u32], rows: usize) -> Option<(usize, String)> {
        if target.len() != rows {
            let found = target.len() / rows.max(1);
            return Some((
                0,
                format!(
                    "expected 1 label for each row of scores, found {found}\nhelp: labels per step want an output of [steps, classes]"
                ),
            ));
        }
        let at = target.iter().position(|&label| label as usize >= width)?;
        Some((at, format!("expected a label from 0 to {}, found {}", width - 1, target[at])))
    }

    fn correct(&self, width: usize, y: &[f32], target: &[u32]) -> Option<usize> {
        Some(y.chunks_exact(width).zip(target).filter(|(y, label)| chosen(y) == Some(**label as usize)).count())
    }
}

impl LossOn<[f32]> for CrossEntropy {
    fn gradient(&self, isa: Isa, width: usize, y: &[f32], target: &[f32], scale: f32, dy: &mut [f32]) -> f64 {
        softmax::cross_entropy_distribution(isa, width, y, target, scale, self.label_smoothing, dy)
    }

    fn value(&self, isa: Isa, width: usize, y: &[f32], target: &[f32]) -> f64 {
        softmax::cross_entropy_distribution_value(isa, width, y, target, self.label_smoothing)
    }

    fn fault(&self, width: usize, target: &[f32], rows: usize) -> Option<(usize, String)> {
        fault(width, target, rows, |t| t >= 0.0 && t.is_finite(), "finite shares of at least 0")
    }

    /// The most probable class against the one with the largest share.
    fn correct(&self, width: usize, y: &[f32], target: &[f32]) -> Option<usize> {
        let rows = y.chunks_exact(width).zip(target.chunks_exact(width));
        Some(rows.filter(|(y, t)| chosen(y) == Some(argmax(t))).count())
    }
}
