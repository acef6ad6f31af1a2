//! `Nadam`: Adam whose momentum looks one step ahead.

use alloc::string::String;

use super::{Optimizer, not_negative, over_eps, share, states};
use nn_kernels::simd::Isa;
use nn_kernels::update::NadamStep;

/// Nadam: `g += weight_decay · p`, `m = β₁ · m + (1 - β₁) · g`, `v = β₂ · v + (1 - β₂) · g²`,
/// `p -= rate · ((1 - μ) / (1 - Πμ) · g + μ' / (1 - Πμ · μ') · m) / (√(v / (1 - β₂^step)) + eps)`, with
/// `μ = β₁ · (1 - 0.96^(step · momentum_decay) / 2)`, `μ'` that of the next step, and `Πμ` the product of all so far.
///
/// | argument | here | PyTorch's `NAdam` | Keras's `Nadam` |
/// |---|---|---|---|
/// | `rate` | must be given | `lr=2e-3` | `learning_rate=0.001` |
/// | `betas` | `0.9, 0.999` | `betas=(0.9, 0.999)` | `beta_1=0.9, beta_2=0.999` |
/// | `eps` | `1e-8` | `eps=1e-8` | `epsilon=1e-7` |
/// | `momentum_decay` | `0.004` | `momentum_decay=4e-3` | always `0.004` |
/// | `weight_decay` (L2) | `0.0` | `weight_decay=0` | none; its `weight_decay` is decoupled |
///
/// Dozat, "Incorporating Nesterov Momentum into Adam", 2016.
///
/// ```
/// use nn_runtime::Isa;
/// use nn_runtime::optim::{Nadam, Optimizer};
///
/// let (mut params, mut mean, mut square) = ([1.0], [0.0], [0.0]);
/// Nadam::new(0.25).update(Isa::detect(), 1, &mut params, &[1000.0], &mut [&mut mean, &mut square]);
/// assert!(params[0] < 0.75); // further than Adam's first step, which is the rate
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Nadam {
    rate: f64,
    betas: (f64, f64),
    eps: f64,
    momentum_decay: f64,
    weight_decay: f64,
}

impl Nadam {
    /// With this learning rate.
    pub const fn new(rate: f64) -> Self {
        Nadam { rate, betas: (0.9, 0.999), eps: 1e-8, momentum_decay: 4e-3, weight_decay: 0.0 }
    }

    /// What is left of the mean gradient and of the mean square from step to step: from 0 up to but without 1.
    pub const fn betas(mut self, first: f64, second: f64) -> Self {
        self.betas = (first, second);
        self
    }

    /// What is added to the root, so that nothing is divided by 0.
    pub const fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// How fast the momentum grows from half of the first beta towards all of it.
    pub const fn momentum_decay(mut self, momentum_decay: f64) -> Self {
        self.momentum_decay = momentum_decay;
        self
    }

    /// What of each parameter is added to its gradient.
    pub const fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

impl Optimizer for Nadam {
    fn states(&self) -> usize {
        2
    }

    fn update(&self, isa: Isa, step: u64, params: &mut [f32], grads: &[f32], state: &mut [&mut [f32]]) {
        let [mean, square] = states(state);
        let step = NadamStep::new(step, self.rate, self.betas, self.eps, self.weight_decay, self.momentum_decay);
        step.update(isa, params, grads, mean, square);
    }

    fn rate(&self) -> f64 {
        self.rate
    }

    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    // The mean gradient and the gradient itself, each divided by 1 - beta at least.
    fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
        let mean = (grad + self.weight_decay * param) / (1.0 - self.betas.0);
        Some(self.rate * 2.0 * over_eps(mean, self.eps))
    }

    fn check(&self) -> Result<(), String> {
        not_negative("a rate", self.rate)?;
        not_negative("an eps", self.eps)?;
        not_negative("a momentum decay", self.momentum_decay)?;
        not_negative("a weight decay", self.weight_decay)?;
        share("a first beta", self.betas.0, 0.9)?;
        share("a second beta", self.betas.1, 0.999)
    }
}
