//! `BinaryCrossEntropy`: yes or no, for each output on its own.

use super::elementwise::Formula;
use crate::formula::loss_on_values;
use nn_kernels::math;
use nn_kernels::simd::Simd;

/// `mean -(pos_weight · t · ln p + (1 - t) · ln(1 - p))` with `p = sigmoid(z)`, over a row's numbers, and
/// then over rows.
///
/// It reads the scores `z`: a network may end in `Sigmoid`, which is then left out while training, or without
/// it. Computed as `|z| · u + ln(1 + exp(-|z|))`, where `u` is `1 - t` for scores above 0 and else `t`: it
/// neither overflows nor loses what little is left of a loss that is sure and right, on either side. PyTorch
/// subtracts and loses it for `t = 1`: 0 from a score of 17 on.
///
/// | argument | here | PyTorch's `BCEWithLogitsLoss`, and `BCELoss` after a sigmoid | Keras's `BinaryCrossentropy` |
/// |---|---|---|---|
/// | `pos_weight`: what a yes counts | `1.0` | `pos_weight=None`, also one for each output | none |
///
/// Targets: `f32` from 0 to 1, as many as the network's outputs.
///
/// ```
/// use nn_runtime::losses::{BinaryCrossEntropy, LossOn};
/// use nn_runtime::Isa;
///
/// let loss = BinaryCrossEntropy::new().value(Isa::detect(), 1, &[0.0], &[1.0][..]);
/// assert!((loss - 2f64.ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BinaryCrossEntropy {
    pos_weight: f32,
}

impl BinaryCrossEntropy {
    /// Yes and no count the same.
    pub const fn new() -> Self {
        BinaryCrossEntropy { pos_weight: 1.0 }
    }

    /// How many times as much as a no a yes counts, where few targets are yes: no ÷ yes among the targets is
    /// usual.
    ///
    /// # Panics
    /// `!(pos_weight > 0.0 && pos_weight.is_finite())`
    #[track_caller]
    pub fn pos_weight(mut self, pos_weight: f32) -> Self {
        assert!(
            pos_weight > 0.0 && pos_weight.is_finite(),
            "expected a weight of yes above 0, found {pos_weight}\nhelp: use the number of targets that are no over those that are yes"
        );
        self.pos_weight = pos_weight;
        self
    }
}

impl Default for BinaryCrossEntropy {
    fn default() -> Self {
        BinaryCrossEntropy::new()
    }
}

impl Formula for BinaryCrossEntropy {
    #[inline(always)]
    fn both<S: Simd>(&self, s: S, z: S::F, t: S::F) -> (S::F, S::F) {
        let (zero, one) = (s.splat(0.0), s.splat(1.0));
        let size = s.abs(z);
        let e = math::exp(s, s.neg(size));
        // The probability of what the score speaks against, and how far the target is from what it speaks
        // for: neither is a difference of numbers near 1, so that a score that is sure and right has its
        // small loss and gradient.
        let other = s.div(e, s.add(one, e));
        let for_yes = s.gt(z, zero);
        if self.pos_weight != 1.0 {
            // What is for yes counts `pos_weight` times; the slope of ln p is the other probability.
            let (yes, no) = (s.mul(s.splat(self.pos_weight), t), s.sub(one, t));
            let both = s.add(yes, no);
            let off = s.select(for_yes, no, yes);
            let slope = s.fma(s.neg(other), both, off);
            return (s.fma(size, off, s.mul(both, math::ln_1p(s, e))), s.select(for_yes, slope, s.neg(slope)));
        }
        let off = s.select(for_yes, s.sub(one, t), t);
        let slope = s.sub(off, other);
        (s.fma(size, off, math::ln_1p(s, e)), s.select(for_yes, slope, s.neg(slope)))
    }
}

/// Rows whose every output is on the right side: a score above 0 is a probability above a half.
pub(super) fn correct(width: usize, z: &[f32], target: &[f32]) -> Option<usize> {
    let rows = z.chunks_exact(width).zip(target.chunks_exact(width));
    Some(rows.filter(|(z, t)| z.iter().zip(*t).all(|(&z, &t)| (z > 0.0) == (t > 0.5) && !z.is_nan())).count())
}

loss_on_values!(BinaryCrossEntropy, logits: true, targets: |t| (0.0..=1.0).contains(&t), "targets from 0 to 1", correct: correct);
