//! `Lion`: every parameter moves by the same distance, the sign of its mean gradient says where.

use crate::text::String;

use super::settings::{betas_below_one, learning_rate, none_negative, settings};
use super::{Optimizer, array_of_slots, slot_names};
use nn_kernels::math::sign;
use nn_kernels::optimizer::{UpdateRule, flush_denormals, update};
use nn_kernels::simd::{Isa, Simd};

/// Lion: `p *= 1 - learning_rate · weight_decay`, `p -= learning_rate · sign(β₁ · m + (1 - β₁) · g)`,
/// `m = β₂ · m + (1 - β₂) · g`. The sign of 0 is 0, so that nothing moves without a gradient.
///
/// | argument | here | PyTorch | Keras's `Lion` |
/// |---|---|---|---|
/// | `learning_rate` | must be given | has no Lion | `learning_rate=0.001` |
/// | `betas` | `0.9, 0.99` | – | `beta_1=0.9, beta_2=0.99` |
/// | `weight_decay` (decoupled) | `0.0` | – | `weight_decay=None` |
///
/// Its authors use a learning rate three to ten times smaller than Adam's, and a weight decay as many times
/// larger. Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023.
///
/// ```
/// use nn_runtime::Isa;
/// use nn_runtime::optim::{Lion, Optimizer};
///
/// let (mut params, mut mean) = ([1.0, 1.0, 1.0], [0.0; 3]);
/// Lion::new(0.25).update(Isa::detect(), 1, &mut params, &[1000.0, -0.001, 0.0], &mut [&mut mean]);
/// assert_eq!(params, [0.75, 1.25, 1.0]);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Lion {
    learning_rate: f64,
    betas: (f64, f64),
    weight_decay: f64,
}

settings!(Lion: weight_decay);

impl Lion {
    /// With this learning rate.
    pub const fn new(learning_rate: f64) -> Self {
        Lion { learning_rate, betas: (0.9, 0.99), weight_decay: 0.0 }
    }

    /// What of the mean gradient counts in a step's direction, and what is left of it from step to step: from
    /// 0 up to but without 1.
    pub const fn betas(mut self, first: f64, second: f64) -> Self {
        self.betas = (first, second);
        self
    }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Lion {
    learning_rate!();
    slot_names!("exp_avg");

    fn slots(&self) -> usize {
        1
    }

    fn update(&self, isa: Isa, _: u64, params: &mut [f32], grads: &[f32], slots: &mut [&mut [f32]]) {
        let (beta1, beta2) = self.betas;
        let rule = LionStep {
            learning_rate: self.learning_rate as f32,
            beta1: beta1 as f32,
            one_minus_beta1: (1.0 - beta1) as f32,
            beta2: beta2 as f32,
            one_minus_beta2: (1.0 - beta2) as f32,
            shrink: (1.0 - self.learning_rate * self.weight_decay) as f32,
        };
        update::<_, 1>(isa, rule, params, grads, array_of_slots(slots));
    }

    fn change_limit(&self, _: f64, param: f64) -> Option<f64> {
        Some(self.learning_rate * (1.0 + self.weight_decay * param))
    }

    fn check(&self) -> Result<(), String> {
        none_negative(&[("a learning rate", self.learning_rate), ("a weight decay", self.weight_decay)])?;
        betas_below_one(self.betas, (0.9, 0.99))
    }
}

#[derive(Clone, Copy)]
struct LionStep {
    learning_rate: f32,
    beta1: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
    /// What is left of each parameter.
    shrink: f32,
}

impl UpdateRule<1> for LionStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [m]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let direction = s.fma(s.splat(self.beta1), m, s.mul(s.splat(self.one_minus_beta1), g));
        let m = flush_denormals(s, s.fma(s.splat(self.beta2), m, s.mul(s.splat(self.one_minus_beta2), g)));
        let p = s.mul(p, s.splat(self.shrink));
        (s.fma(s.splat(-self.learning_rate), sign(s, direction), p), [m])
    }
}
