//! `KlDivergence`: how far a distribution is from the one it should be. The cross-entropy of the two is the
//! kernels'.

use crate::text::String;

use super::elementwise::{self, Formula};
use super::{CrossEntropy, Link, Loss, LossOn, TargetValue};
use nn_kernels::math;
use nn_kernels::simd::{Isa, Simd};
use nn_kernels::softmax;

/// `Σ_i t[i] · (ln t[i] - ln softmax(z)[i])` over the classes of a row, and then the mean over rows.
///
/// It reads the scores `z`: a network may end in `Softmax` or `LogSoftmax`, which is then left out while
/// training, or in `Dense`. Targets: distributions, `f32`, as many numbers as classes; where `t` is 0 nothing
/// is added. Its gradient is that of [`CrossEntropy`](super::CrossEntropy) on the same targets: the two
/// differ by the entropy of `t`, so that this one ends at 0.
///
/// | argument | here | PyTorch's `KLDivLoss` | Keras's `KLDivergence` |
/// |---|---|---|---|
/// | what is read | scores | logarithms of probabilities | probabilities from 1e-7 to 1 |
/// | the mean is over | rows | all numbers, unless `reduction="batchmean"` | rows |
///
/// Kullback, Leibler, "On Information and Sufficiency", 1951.
///
/// ```
/// use nn_runtime::losses::{KlDivergence, LossOn};
/// use nn_runtime::Isa;
///
/// let loss = KlDivergence::new().value(Isa::detect(), 2, &[0.0, 0.0], &[1.0, 0.0][..]);
/// assert!((loss - 2f64.ln()).abs() < 1e-6);
/// let equal = KlDivergence::new().value(Isa::detect(), 2, &[0.0, 0.0], &[0.5, 0.5][..]);
/// assert!(equal.abs() < 1e-6);
/// ```
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct KlDivergence;

impl KlDivergence {
    /// There is nothing to choose.
    pub const fn new() -> Self {
        KlDivergence
    }
}

/// `t · ln t`, the loss of a target against itself but for its sign; no gradient.
struct Entropy;

impl Formula for Entropy {
    #[inline(always)]
    fn both<S: Simd>(&self, s: S, _: S::F, t: S::F) -> (S::F, S::F) {
        let zero = s.splat(0.0);
        (s.select(s.gt(t, zero), s.mul(t, math::ln(s, t)), zero), zero)
    }
}

#[inline(never)]
fn entropy(isa: Isa, target: &[f32]) -> f64 {
    elementwise::value(&Entropy, isa, 1, target, target)
}

/// A distribution is nowhere less than 0 from another one: what rounding leaves below is 0. Targets that are
/// no distributions may give less.
fn without_rounding(rows: usize, loss: f64) -> f64 {
    if loss < 0.0 && loss > -1e-6 * rows as f64 { 0.0 } else { loss }
}

impl Loss for KlDivergence {
    const LOGITS: bool = true;
    const LINK: Link = Link::Softmax;

    fn settings(&self) -> String {
        crate::text::format!("{self:?}")
    }
}

impl<T: TargetValue> LossOn<[T]> for KlDivergence {
    fn gradient(&self, isa: Isa, width: usize, y: &[f32], target: &[T], scale: f32, dy: &mut [f32]) -> f64 {
        let target = T::numbers(target);
        let cross_entropy = softmax::cross_entropy_distribution(isa, width, y, target, scale, 0.0, dy);
        without_rounding(target.len() / width, cross_entropy + entropy(isa, target))
    }

    fn value(&self, isa: Isa, width: usize, y: &[f32], target: &[T]) -> f64 {
        let target = T::numbers(target);
        let cross_entropy = softmax::cross_entropy_distribution_value(isa, width, y, target, 0.0);
        without_rounding(target.len() / width, cross_entropy + entropy(isa, target))
    }

    fn fault(&self, width: usize, target: &[T], rows: usize) -> Option<(usize, String)> {
        CrossEntropy::new().fault(width, T::numbers(target), rows)
    }

    /// The most probable class against the one with the largest share.
    fn correct(&self, width: usize, y: &[f32], target: &[T]) -> Option<usize> {
        CrossEntropy::new().correct(width, y, T::numbers(target))
    }
}
