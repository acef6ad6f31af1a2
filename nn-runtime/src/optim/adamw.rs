//! `AdamW`: Adam whose weight decay does not go through the moments.

use crate::text::String;

use super::adam::{AdamStep, Moments, decay};
use super::settings::{betas_below_one, learning_rate, momentum_setting, none_negative, settings};
use super::{Optimizer, over_eps, slot_names};
use nn_kernels::simd::Isa;

/// Adam with decoupled weight decay: `p *= 1 - learning_rate · weight_decay`, and then
/// [`Adam`](super::Adam)'s step without it.
///
/// | argument | here | PyTorch's `AdamW` | Keras's `AdamW` |
/// |---|---|---|---|
/// | `learning_rate` | must be given | `lr=1e-3` | `learning_rate=0.001` |
/// | `betas` | `0.9, 0.999` | `betas=(0.9, 0.999)` | `beta_1=0.9, beta_2=0.999` |
/// | `eps` | `1e-8` | `eps=1e-8` | `epsilon=1e-7` |
/// | `weight_decay` | `0.01` | `weight_decay=0.01` | `weight_decay=0.004` |
/// | `amsgrad` | `false` | `amsgrad=False` | `amsgrad=False` |
///
/// Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019.
///
/// ```
/// use nn_runtime::Isa;
/// use nn_runtime::optim::{AdamW, Optimizer};
///
/// let (mut params, mut mean, mut square) = ([1.0], [0.0], [0.0]);
/// let adam = AdamW::new(0.5).weight_decay(0.25);
/// adam.update(Isa::detect(), 1, &mut params, &[0.0], &mut [&mut mean, &mut square]);
/// assert_eq!(params, [0.875]);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AdamW {
    learning_rate: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    amsgrad: bool,
}

settings!(AdamW: betas, eps, weight_decay, amsgrad);

impl AdamW {
    /// With this learning rate.
    pub const fn new(learning_rate: f64) -> Self {
        AdamW { learning_rate, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.01, amsgrad: false }
    }
}

#[diagnostic::do_not_recommend]
impl Optimizer for AdamW {
    learning_rate!();
    momentum_setting!(betas);
    slot_names!("exp_avg", "exp_avg_sq", "max_exp_avg_sq");

    fn slots(&self) -> usize {
        2 + usize::from(self.amsgrad)
    }

    fn update(&self, isa: Isa, step: u64, params: &mut [f32], grads: &[f32], slots: &mut [&mut [f32]]) {
        let moments = Moments::new(step, self.betas, self.eps);
        let step_size = (self.learning_rate / moments.mean_bias) as f32;
        let left = (1.0 - self.learning_rate * self.weight_decay) as f32;
        let rule = AdamStep::<{ decay::DECOUPLED }> { moments, step_size, decay: left };
        rule.update(isa, params, grads, slots);
    }

    fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
        let direction = over_eps(grad / (1.0 - self.betas.0), self.eps);
        Some(self.learning_rate * (direction + self.weight_decay * param))
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
