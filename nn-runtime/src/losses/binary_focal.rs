//! `BinaryFocal`: yes or no for each output on its own, where most are no and easily seen to be.

use super::binary_cross_entropy::correct;
use super::elementwise::Formula;
use crate::formula::loss_on_values;
use nn_kernels::math;
use nn_kernels::simd::Simd;

/// `mean -a · (1 - p)^gamma · ln p` over a row's numbers, and then over rows, with `p` the probability of the
/// right answer, `sigmoid(z)` where `t` is 1 and `1 - sigmoid(z)` where it is 0, and `a` the weight of that
/// answer.
///
/// It reads the scores `z`: a network may end in `Sigmoid`, which is then left out while training, or without
/// it. Targets: `f32`, 0 or 1, as many as a row has numbers.
///
/// | argument | here | torchvision's `sigmoid_focal_loss` | Keras's `BinaryFocalCrossentropy` |
/// |---|---|---|---|
/// | `gamma`, at least 0 | `2.0` | `gamma=2` | `gamma=2.0` |
/// | `alpha`: `a` is `alpha` where `t` is 1 and `1 - alpha` where it is 0 | `0.25` | `alpha=0.25` | `alpha=0.25`, with `apply_class_balancing=True` |
///
/// Lin et al., "Focal Loss for Dense Object Detection", 2017.
///
/// ```
/// use nn_runtime::losses::{BinaryFocal, LossOn};
/// use nn_runtime::Isa;
///
/// let loss = BinaryFocal::new().value(Isa::detect(), 1, &[0.0], &[1.0][..]);
/// assert!((loss - 0.25 * 0.25 * 2f64.ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BinaryFocal {
    gamma: f32,
    alpha: f32,
}

impl BinaryFocal {
    /// With a gamma of 2 and an alpha of 0.25.
    #[allow(clippy::new_without_default, reason = "as every loss, it is made by its name")]
    pub const fn new() -> Self {
        BinaryFocal { gamma: 2.0, alpha: 0.25 }
    }

    /// How little counts what is answered well; 0 is the binary cross-entropy.
    ///
    /// # Panics
    /// `!(gamma >= 0.0 && gamma.is_finite())`
    #[track_caller]
    pub fn gamma(mut self, gamma: f32) -> Self {
        self.gamma = super::focal::checked(gamma);
        self
    }

    /// How much a yes counts; a no counts what is left to 1.
    ///
    /// # Panics
    /// `!(0.0..=1.0).contains(&alpha)`
    #[track_caller]
    pub fn alpha(mut self, alpha: f32) -> Self {
        assert!((0.0..=1.0).contains(&alpha), "expected an alpha from 0 to 1, found {alpha}");
        self.alpha = alpha;
        self
    }
}

impl Formula for BinaryFocal {
    #[inline(always)]
    fn both<S: Simd>(&self, s: S, z: S::F, t: S::F) -> (S::F, S::F) {
        let yes = s.gt(t, s.splat(0.5));
        let side = s.select(yes, z, s.neg(z));
        let alpha = s.select(yes, s.splat(self.alpha), s.splat(1.0 - self.alpha));
        let gamma = s.splat(self.gamma);
        // With p = sigmoid(side): -ln p and (1 - p)^gamma = exp(gamma · ln sigmoid(-side)), neither of them
        // from a rounded p.
        let surprise = math::softplus(s, s.neg(side));
        let focus = s.mul(alpha, math::exp(s, s.neg(s.mul(gamma, math::softplus(s, side)))));
        let slope = s.fma(s.mul(gamma, math::sigmoid(s, side)), surprise, math::sigmoid(s, s.neg(side)));
        let slope = s.mul(focus, slope);
        (s.mul(focus, surprise), s.select(yes, s.neg(slope), slope))
    }
}

loss_on_values!(BinaryFocal, logits: true, targets: |t| t == 0.0 || t == 1.0, "targets of 0 or 1", correct: correct);
