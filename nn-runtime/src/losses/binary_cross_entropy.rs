//! `BinaryCrossEntropy`: yes or no, for each output on its own.

use super::elementwise::Formula;
use crate::formula::loss_on_values;
use nn_kernels::math;
use nn_kernels::simd::Simd;

/// `mean -(t · ln p + (1 - t) · ln(1 - p))` with `p = sigmoid(z)`, over a row's numbers, and then over rows.
///
/// It reads the scores `z`: a network may end in `Sigmoid`, which is then left out while training, or without it. Computed as
/// `max(z, 0) - z · t + ln(1 + exp(-|z|))`, which neither overflows nor loses small probabilities. PyTorch's
/// `BCEWithLogitsLoss()` (and `BCELoss()` after a sigmoid), Keras's `BinaryCrossentropy`.
/// Targets: `f32` from 0 to 1, as many as the network's outputs.
///
/// ```
/// use nn_runtime::losses::{BinaryCrossEntropy, LossOn};
/// use nn_runtime::Isa;
///
/// let loss = BinaryCrossEntropy::new().value(Isa::detect(), 1, &[0.0], &[1.0][..]);
/// assert!((loss - 2f64.ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct BinaryCrossEntropy;

impl BinaryCrossEntropy {
    /// There is nothing to choose.
    pub const fn new() -> Self {
        BinaryCrossEntropy
    }
}

impl Formula for BinaryCrossEntropy {
    #[inline(always)]
    fn both<S: Simd>(&self, s: S, z: S::F, t: S::F) -> (S::F, S::F) {
        // max(z, 0) + ln(1 + exp(-|z|)) is the softplus of z.
        (s.sub(math::softplus(s, z), s.mul(z, t)), s.sub(math::sigmoid(s, z), t))
    }
}

/// Rows whose every output is on the right side: a score above 0 is a probability above a half.
pub(super) fn correct(width: usize, z: &[f32], target: &[f32]) -> Option<usize> {
    let rows = z.chunks_exact(width).zip(target.chunks_exact(width));
    Some(rows.filter(|(z, t)| z.iter().zip(*t).all(|(&z, &t)| (z > 0.0) == (t > 0.5) && !z.is_nan())).count())
}

loss_on_values!(BinaryCrossEntropy, logits: true, targets: |t| (0.0..=1.0).contains(&t), "targets from 0 to 1", correct: correct);
