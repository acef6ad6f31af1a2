//! `Mae`: the mean of absolute differences.

use super::elementwise::Formula;
use crate::formula::loss_on_values;
use nn_kernels::simd::Simd;

/// Mean absolute error: `mean |y - t|` over a row's numbers, and then over rows.
///
/// PyTorch's `L1Loss()`, Keras's `MeanAbsoluteError()`. Where `y = t` the gradient is 0 (Keras 3.15 on JAX:
/// `-1 / n`). Targets: `f32`, as many as the network's outputs. Fits every head.
///
/// ```
/// use nn_runtime::losses::{LossOn, Mae};
/// use nn_runtime::Isa;
///
/// assert_eq!(Mae::new().value(Isa::detect(), 2, &[1.0, 4.0], &[0.0, 6.0][..]), 1.5);
/// ```
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct Mae;

impl Mae {
    /// `mean |y - t|`
    pub const fn new() -> Self {
        Mae
    }
}

impl Formula for Mae {
    #[inline(always)]
    fn both<S: Simd>(&self, s: S, y: S::F, t: S::F) -> (S::F, S::F) {
        let difference = s.sub(y, t);
        let zero = s.splat(0.0);
        // The sign, by way of the difference itself where it is 0 or NaN.
        let below = s.select(s.lt(difference, zero), s.splat(-1.0), difference);
        (s.abs(difference), s.select(s.gt(difference, zero), s.splat(1.0), below))
    }
}

loss_on_values!(Mae, logits: false, targets: f32::is_finite, "finite targets", correct: |_, _, _| None);
