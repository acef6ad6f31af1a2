//! `Lion`: every parameter moves by the same distance, the sign of its mean gradient says where.

use alloc::string::String;

use super::{Optimizer, not_negative, share, states};
use nn_kernels::simd::Isa;
use nn_kernels::update::LionStep;

/// Lion: `p *= 1 - rate · weight_decay`, `p -= rate · sign(β₁ · m + (1 - β₁) · g)`, `m = β₂ · m + (1 - β₂) · g`.
///
/// | argument | here | PyTorch | Keras's `Lion` |
/// |---|---|---|---|
/// | `rate` | must be given | has no Lion | `learning_rate=0.001` |
/// | `betas` | `0.9, 0.99` | – | `beta_1=0.9, beta_2=0.99` |
/// | `weight_decay` (decoupled) | `0.0` | – | `weight_decay=None` |
///
/// Its authors use a rate three to ten times smaller than Adam's, and a weight decay as many times larger. Chen et al., "Symbolic
/// Discovery of Optimization Algorithms", 2023.
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
    rate: f64,
    betas: (f64, f64),
    weight_decay: f64,
}

impl Lion {
    /// With this learning rate.
    pub const fn new(rate: f64) -> Self {
        Lion { rate, betas: (0.9, 0.99), weight_decay: 0.0 }
    }

    /// What of the mean gradient counts in a step's direction, and what is left of it from step to step: from 0 up to but without 1.
    pub const fn betas(mut self, first: f64, second: f64) -> Self {
        self.betas = (first, second);
        self
    }

    /// How strongly parameters are drawn to 0.
    pub const fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

impl Optimizer for Lion {
    fn states(&self) -> usize {
        1
    }

    fn update(&self, isa: Isa, _: u64, params: &mut [f32], grads: &[f32], state: &mut [&mut [f32]]) {
        let [mean] = states(state);
        LionStep::new(self.rate, self.betas.0, self.betas.1, self.weight_decay).update(isa, params, grads, mean);
    }

    fn rate(&self) -> f64 {
        self.rate
    }

    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    fn change_limit(&self, _: f64, param: f64) -> Option<f64> {
        Some(self.rate * (1.0 + self.weight_decay * param))
    }

    fn check(&self) -> Result<(), String> {
        not_negative("a rate", self.rate)?;
        not_negative("a weight decay", self.weight_decay)?;
        share("a first beta", self.betas.0, 0.9)?;
        share("a second beta", self.betas.1, 0.99)
    }
}
