//! `Huber`: squared for small differences, absolute for large ones.

use super::elementwise::Formula;
use crate::formula::loss_on_values;
use nn_kernels::simd::Simd;

/// `mean l(y - t)` with `l(d) = ½ d²` where `|d| <= delta`, and `delta · (|d| - ½ delta)` elsewhere.
///
/// | argument | here | PyTorch's `HuberLoss` | Keras's `Huber` |
/// |---|---|---|---|
/// | `delta`, above 0 | `1.0` | `delta=1.0` | `delta=1.0` |
///
/// Targets: `f32`, as many as the network's outputs. Fits every head. Huber, "Robust Estimation of a Location
/// Parameter", 1964.
///
/// ```
/// use nn_runtime::losses::{Huber, LossOn};
/// use nn_runtime::Isa;
///
/// assert_eq!(Huber::new().value(Isa::detect(), 2, &[1.0, 4.0], &[0.0, 0.0][..]), 0.5 * (0.5 + 3.5));
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Huber {
    delta: f32,
}

impl Huber {
    /// With a delta of 1.
    #[allow(clippy::new_without_default, reason = "as every loss, it is made by its name")]
    pub const fn new() -> Self {
        Huber { delta: 1.0 }
    }

    /// From which difference on the loss is a straight line.
    ///
    /// # Panics
    /// `!(delta > 0.0 && delta.is_finite())`
    #[track_caller]
    pub fn delta(mut self, delta: f32) -> Self {
        assert!(
            delta > 0.0 && delta.is_finite(),
            "expected a delta above 0, found {delta}\nhelp: use `Mae` for a loss without a bend"
        );
        self.delta = delta;
        self
    }
}

impl Formula for Huber {
    #[inline(always)]
    fn both<S: Simd>(&self, s: S, y: S::F, t: S::F) -> (S::F, S::F) {
        let delta = s.splat(self.delta);
        let difference = s.sub(y, t);
        // The limits stand first: where the difference is NaN, `min` and `max` give the second.
        let slope = s.max(s.neg(delta), s.min(delta, difference));
        // c · (d - ½ c) with the clamped difference c: ½ d² within delta, the straight line beyond.
        (s.mul(slope, s.fma(slope, s.splat(-0.5), difference)), slope)
    }
}

loss_on_values!(Huber, logits: false, targets: f32::is_finite, "finite targets", correct: |_, _, _| None);
