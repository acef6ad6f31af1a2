//! `Mse`: the mean of squared differences, whole or half.

use super::elementwise::Formula;
use crate::formula::loss_on_values;
use nn_kernels::simd::Simd;

/// Mean squared error: `mean (y - t)²` over a row's numbers, and then over rows.
///
/// [`Mse::new`] is PyTorch's `MSELoss()` and Keras's `MeanSquaredError()`; [`Mse::half`] is half of it, whose
/// derivative for one number is the difference itself. Targets: `f32`, as many as the network's outputs. Fits
/// every head.
///
/// ```
/// use nn_runtime::losses::{LossOn, Mse};
/// use nn_runtime::Isa;
///
/// let (y, target) = ([1.0, 4.0], [0.0, 2.0]);
/// assert_eq!(Mse::new().value(Isa::detect(), 2, &y, &target[..]), 2.5);
/// assert_eq!(Mse::half().value(Isa::detect(), 2, &y, &target[..]), 1.25);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Mse {
    factor: f32,
}

impl Mse {
    /// `mean (y - t)²`
    #[allow(clippy::new_without_default, reason = "which of the two is meant is always said")]
    pub const fn new() -> Self {
        Mse { factor: 1.0 }
    }

    /// `½ · mean (y - t)²`
    pub const fn half() -> Self {
        Mse { factor: 0.5 }
    }
}

impl Formula for Mse {
    #[inline(always)]
    fn both<S: Simd>(&self, s: S, y: S::F, t: S::F) -> (S::F, S::F) {
        let difference = s.sub(y, t);
        let scaled = s.mul(difference, s.splat(self.factor));
        (s.mul(scaled, difference), s.add(scaled, scaled))
    }
}

loss_on_values!(Mse, logits: false, targets: f32::is_finite, "finite targets", correct: |_, _, _| None);
