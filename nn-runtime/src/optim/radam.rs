//! `RAdam`: Adam that is only as adaptive as its mean square is known.

use crate::text::String;

use super::adam::Moments;
use super::settings::{betas_below_one, learning_rate, momentum_setting, none_negative, settings};
use super::{Optimizer, array_of_slots, over_eps, powi, slot_names};
use nn_kernels::optimizer::{SQUARE_ROOT_SCALE, UpdateRule, div_by_sqrt, update};
use nn_kernels::simd::{Isa, Simd};

/// Rectified Adam: `g += weight_decay · p`, `m = β₁ · m + (1 - β₁) · g`, `v = β₂ · v + (1 - β₂) · g²`; with
/// `ρ∞ = 2 / (1 - β₂) - 1` and `ρ = ρ∞ - 2 · step · β₂^step / (1 - β₂^step)`, where `ρ > 5`,
/// `p -= learning_rate · r · (m / (1 - β₁^step)) · √(1 - β₂^step) / (√v + eps)` with
/// `r = √((ρ - 4)(ρ - 2)ρ∞ / ((ρ∞ - 4)(ρ∞ - 2)ρ))`, and else `p -= learning_rate · m / (1 - β₁^step)`.
///
/// | argument | here | PyTorch's `RAdam` |
/// |---|---|---|
/// | `learning_rate` | must be given | `lr=1e-3` |
/// | `betas` | `0.9, 0.999` | `betas=(0.9, 0.999)` |
/// | `eps` | `1e-8` | `eps=1e-8` |
/// | `weight_decay` (L2) | `0.0` | `weight_decay=0` |
///
/// Keras has none. The second slot is `v` times 64. Liu et al., "On the Variance of the Adaptive Learning
/// Rate and Beyond", 2020.
///
/// ```
/// use nn_runtime::Isa;
/// use nn_runtime::optim::{Optimizer, RAdam};
///
/// let (mut params, mut mean, mut square) = ([1.0], [0.0], [0.0]);
/// RAdam::new(0.25).update(Isa::detect(), 1, &mut params, &[2.0], &mut [&mut mean, &mut square]);
/// assert_eq!(params, [0.5]); // as gradient descent, as long as little is known
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RAdam {
    learning_rate: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
}

settings!(RAdam: betas, eps, weight_decay);

impl RAdam {
    /// With this learning rate.
    pub const fn new(learning_rate: f64) -> Self {
        RAdam { learning_rate, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0 }
    }

    /// What an adaptive step is multiplied by, if it is one.
    fn rectified(&self, step: u64) -> Option<f64> {
        let beta2 = self.betas.1;
        let left = powi(beta2, step);
        let most = 2.0 / (1.0 - beta2) - 1.0;
        let rho = most - 2.0 * step as f64 * left / (1.0 - left);
        let variance = (rho - 4.0) * (rho - 2.0) * most / ((most - 4.0) * (most - 2.0) * rho);
        (rho > 5.0).then(|| libm::sqrt(variance * (1.0 - left)))
    }
}

#[diagnostic::do_not_recommend]
impl Optimizer for RAdam {
    learning_rate!();
    momentum_setting!(betas);
    slot_names!("exp_avg", "exp_avg_sq");

    fn slots(&self) -> usize {
        2
    }

    fn update(&self, isa: Isa, step: u64, params: &mut [f32], grads: &[f32], slots: &mut [&mut [f32]]) {
        let moments = Moments::new(step, self.betas, self.eps);
        let (plain, weight_decay) = (self.learning_rate / moments.mean_bias, self.weight_decay as f32);
        let (eps, slots) = (self.eps as f32, array_of_slots(slots));
        match self.rectified(step) {
            Some(factor) => {
                let step_size = (plain * factor) as f32;
                update(isa, RAdamStep::<true> { moments, step_size, eps, weight_decay }, params, grads, slots);
            }
            None => {
                let step_size = plain as f32;
                update(isa, RAdamStep::<false> { moments, step_size, eps, weight_decay }, params, grads, slots);
            }
        }
    }

    // The rectification is below 1; a step that is not adaptive is the mean gradient.
    fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
        let mean = (grad + self.weight_decay * param) / (1.0 - self.betas.0);
        Some(self.learning_rate * over_eps(mean, self.eps).max(mean))
    }

    fn check(&self) -> Result<(), String> {
        none_negative(&[
            ("a learning rate", self.learning_rate),
            ("an eps", self.eps),
            ("a weight decay", self.weight_decay),
        ])?;
        betas_below_one(self.betas, (0.9, 0.999))
    }
}

#[derive(Clone, Copy)]
struct RAdamStep<const ADAPTIVE: bool> {
    moments: Moments,
    step_size: f32,
    eps: f32,
    weight_decay: f32,
}

impl<const ADAPTIVE: bool> UpdateRule<2> for RAdamStep<ADAPTIVE> {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, slots: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let g = s.fma(s.splat(self.weight_decay), p, g);
        let (m, v) = self.moments.next(s, g, slots);
        let direction = if ADAPTIVE { div_by_sqrt(s, m, v, SQUARE_ROOT_SCALE, self.eps) } else { m };
        (s.fma(s.splat(-self.step_size), direction, p), [m, v.kept])
    }
}
