//! `Adamax`: Adam divided by the largest recent gradient instead of the root of the mean square.

use crate::text::String;

use super::settings::{above_zero, betas_below_one, learning_rate, momentum_setting, none_negative, settings};
use super::{Optimizer, array_of_slots, over_eps, powi, slot_names};
use nn_kernels::optimizer::{UpdateRule, flush_denormals, limit_grad, update};
use nn_kernels::simd::{Isa, Simd};

/// Adamax: `g += weight_decay · p`, `m = β₁ · m + (1 - β₁) · g`, `u = max(β₂ · u, |g| + eps)`,
/// `p -= learning_rate / (1 - β₁^step) · m / u`.
///
/// | argument | here | PyTorch's `Adamax` | Keras's `Adamax` |
/// |---|---|---|---|
/// | `learning_rate` | must be given | `lr=2e-3` | `learning_rate=0.001` |
/// | `betas` | `0.9, 0.999` | `betas=(0.9, 0.999)` | `beta_1=0.9, beta_2=0.999` |
/// | `eps`, above 0 | `1e-8` | `eps=1e-8` | `epsilon=1e-7`, beside `u` |
/// | `weight_decay` (L2) | `0.0` | `weight_decay=0` | none; its `weight_decay` is decoupled |
///
/// Gradients beyond 1.15e18 count as that. Kingma & Ba, "Adam: A Method for Stochastic Optimization", 2015,
/// section 7.1.
///
/// ```
/// use nn_runtime::Isa;
/// use nn_runtime::optim::{Adamax, Optimizer};
///
/// let (mut params, mut mean, mut largest) = ([1.0], [0.0], [0.0]);
/// Adamax::new(0.25).update(Isa::detect(), 1, &mut params, &[-8.0], &mut [&mut mean, &mut largest]);
/// assert_eq!((params, largest), ([1.25], [8.0]));
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Adamax {
    learning_rate: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
}

settings!(Adamax: betas, eps, weight_decay);

impl Adamax {
    /// With this learning rate.
    pub const fn new(learning_rate: f64) -> Self {
        Adamax { learning_rate, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0 }
    }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Adamax {
    learning_rate!();
    momentum_setting!(betas);
    slot_names!("exp_avg", "exp_inf");

    fn slots(&self) -> usize {
        2
    }

    fn update(&self, isa: Isa, step: u64, params: &mut [f32], grads: &[f32], slots: &mut [&mut [f32]]) {
        assert!(step > 0, "expected a step from 1 on, found 0");
        let rule = AdamaxStep {
            step_size: (self.learning_rate / (1.0 - powi(self.betas.0, step))) as f32,
            one_minus_beta1: (1.0 - self.betas.0) as f32,
            beta2: self.betas.1 as f32,
            eps: self.eps as f32,
            weight_decay: self.weight_decay as f32,
        };
        update(isa, rule, params, grads, array_of_slots(slots));
    }

    fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
        let mean = (grad + self.weight_decay * param) / (1.0 - self.betas.0);
        Some(self.learning_rate * over_eps(mean, self.eps))
    }

    fn check(&self) -> Result<(), String> {
        none_negative(&[("a learning rate", self.learning_rate), ("a weight decay", self.weight_decay)])?;
        above_zero("an eps", self.eps, 1e-8)?;
        betas_below_one(self.betas, (0.9, 0.999))
    }
}

#[derive(Clone, Copy)]
struct AdamaxStep {
    /// learning_rate / (1 - β₁^step).
    step_size: f32,
    one_minus_beta1: f32,
    beta2: f32,
    eps: f32,
    weight_decay: f32,
}

impl UpdateRule<2> for AdamaxStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [m, u]: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let g = limit_grad(s, s.fma(s.splat(self.weight_decay), p, g));
        let m = flush_denormals(s, s.fma(s.splat(self.one_minus_beta1), s.sub(g, m), m));
        // The gradient stands second: where it is NaN, it is what is left.
        let u = s.max(s.mul(s.splat(self.beta2), u), s.add(s.abs(g), s.splat(self.eps)));
        (s.fma(s.splat(-self.step_size), s.near_div(m, u), p), [m, u])
    }
}
