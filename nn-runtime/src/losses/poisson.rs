//! `Poisson`: how often something happens, as a rate or its logarithm.

use super::elementwise::Formula;
use crate::formula::loss_on_values;
use nn_kernels::math;
use nn_kernels::simd::Simd;

/// What keeps the logarithm of a rate of 0 finite.
const EPSILON: f32 = 1e-8;

/// `mean exp(y) - t · y` over a row's numbers, and then over rows: `y` is the logarithm of the rate at which
/// `t` was counted.
///
/// Targets: `f32`, finite and at least 0, as many as a row has numbers. The term `ln t!`, which no parameter
/// has an influence on, is left out, so that the loss may be negative.
///
/// | argument | here | PyTorch's `PoissonNLLLoss` | Keras's `Poisson` |
/// |---|---|---|---|
/// | `log_input`: `y` is the rate's logarithm; without, the loss is `y - t · ln(y + 1e-8)` | `true` | `log_input=True` | never; 1e-7 |
/// | the term `ln t!` | never | `full=False` | never |
///
/// Fits a network that ends in `Dense`; with `log_input(false)` in what is above 0, such as `Softplus`.
/// Nelder, Wedderburn, "Generalized Linear Models", 1972.
///
/// ```
/// use nn_runtime::losses::{LossOn, Poisson};
/// use nn_runtime::Isa;
///
/// let (isa, target) = (Isa::detect(), [3.0]);
/// assert_eq!(Poisson::new().value(isa, 1, &[0.0], &target[..]), 1.0);
/// assert_eq!(Poisson::new().log_input(false).value(isa, 1, &[1.0], &target[..]), 1.0);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Poisson {
    log_input: bool,
}

impl Poisson {
    /// On logarithms of rates.
    #[allow(clippy::new_without_default, reason = "as every loss, it is made by its name")]
    pub const fn new() -> Self {
        Poisson { log_input: true }
    }

    /// Whether the network gives logarithms of rates, or rates.
    pub const fn log_input(mut self, log_input: bool) -> Self {
        self.log_input = log_input;
        self
    }
}

impl Formula for Poisson {
    #[inline(always)]
    fn both<S: Simd>(&self, s: S, y: S::F, t: S::F) -> (S::F, S::F) {
        if self.log_input {
            let rate = math::exp(s, y);
            return (s.sub(rate, s.mul(t, y)), s.sub(rate, t));
        }
        let rate = s.add(y, s.splat(EPSILON));
        (s.sub(y, s.mul(t, math::ln(s, rate))), s.sub(s.splat(1.0), s.div(t, rate)))
    }
}

loss_on_values!(Poisson, logits: false, targets: |t| t >= 0.0 && t.is_finite(), "finite targets of at least 0", correct: |_, _, _| None);
