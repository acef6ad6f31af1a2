//! `Nadam`: Adam whose momentum looks one step ahead.

use crate::text::String;

use super::adam::Moments;
use super::settings::{betas_below_one, learning_rate, none_negative, settings};
use super::{Optimizer, array_of_slots, over_eps, powi, slot_names};
use nn_kernels::optimizer::{UpdateRule, limit_grad, update};
use nn_kernels::simd::{Isa, Simd};

/// Nadam: `g += weight_decay · p`, `m = β₁ · m + (1 - β₁) · g`, `v = β₂ · v + (1 - β₂) · g²`, `p -=
/// learning_rate · ((1 - μ) / (1 - Πμ) · g + μ' / (1 - Πμ · μ') · m) / (√(v / (1 - β₂^step)) + eps)`, with
/// `μ = β₁ · (1 - 0.96^(step · momentum_decay) / 2)`, `μ'` that of the next step, and `Πμ` the product of all
/// so far.
///
/// | argument | here | PyTorch's `NAdam` | Keras's `Nadam` |
/// |---|---|---|---|
/// | `learning_rate` | must be given | `lr=2e-3` | `learning_rate=0.001` |
/// | `betas` | `0.9, 0.999` | `betas=(0.9, 0.999)` | `beta_1=0.9, beta_2=0.999` |
/// | `eps` | `1e-8` | `eps=1e-8` | `epsilon=1e-7` |
/// | `momentum_decay` | `0.004` | `momentum_decay=4e-3` | always as `1.0` (Keras 3.15) |
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
/// assert!(params[0] < 0.75); // further than Adam's first step, which is the learning rate
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Nadam {
    learning_rate: f64,
    betas: (f64, f64),
    eps: f64,
    momentum_decay: f64,
    weight_decay: f64,
}

settings!(Nadam: betas, eps, weight_decay);

impl Nadam {
    /// With this learning rate.
    pub const fn new(learning_rate: f64) -> Self {
        Nadam { learning_rate, betas: (0.9, 0.999), eps: 1e-8, momentum_decay: 4e-3, weight_decay: 0.0 }
    }

    /// How fast the momentum grows from half of the first beta towards all of it.
    pub const fn momentum_decay(mut self, momentum_decay: f64) -> Self {
        self.momentum_decay = momentum_decay;
        self
    }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Nadam {
    learning_rate!();
    slot_names!("exp_avg", "exp_avg_sq");

    fn slots(&self) -> usize {
        2
    }

    fn update(&self, isa: Isa, step: u64, params: &mut [f32], grads: &[f32], slots: &mut [&mut [f32]]) {
        let moments = Moments::new(step, self.betas, self.eps);
        let decay = libm::pow(0.96, self.momentum_decay);
        let momentum = |decayed: f64| self.betas.0 * (1.0 - 0.5 * decayed);
        let (now, next) = (momentum(powi(decay, step)), momentum(powi(decay, step + 1)));
        let product = product_of_momenta(step, decay, momentum);
        let rule = NadamStep {
            moments,
            grad_size: (self.learning_rate * (1.0 - now) / (1.0 - product)) as f32,
            mean_size: (self.learning_rate * next / (1.0 - product * next)) as f32,
            weight_decay: self.weight_decay as f32,
        };
        update(isa, rule, params, grads, array_of_slots(slots));
    }

    // The mean gradient and the gradient itself, each divided by 1 - beta at least.
    fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
        let mean = (grad + self.weight_decay * param) / (1.0 - self.betas.0);
        Some(self.learning_rate * 2.0 * over_eps(mean, self.eps))
    }

    fn check(&self) -> Result<(), String> {
        none_negative(&[
            ("a learning rate", self.learning_rate),
            ("an eps", self.eps),
            ("a momentum decay", self.momentum_decay),
            ("a weight decay", self.weight_decay),
        ])?;
        betas_below_one(self.betas, (0.9, 0.999))
    }
}

/// The product of the momenta of all steps up to `step`, which follows from the number of the step: none has
/// to be remembered. It halves at least every step at first, so that a few dozen factors are enough: what is
/// below a rounding of 1 is never seen beside it.
fn product_of_momenta(step: u64, decay: f64, momentum: impl Fn(f64) -> f64) -> f64 {
    let (mut product, mut decayed) = (1.0, 1.0);
    for _ in 0..step {
        decayed *= decay;
        product *= momentum(decayed);
        if product < 1e-17 {
            return 0.0;
        }
    }
    product
}

#[derive(Clone, Copy)]
struct NadamStep {
    moments: Moments,
    /// What the gradient itself is multiplied by.
    grad_size: f32,
    /// What the mean gradient is multiplied by.
    mean_size: f32,
    weight_decay: f32,
}

impl UpdateRule<2> for NadamStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, slots: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let g = s.fma(s.splat(self.weight_decay), p, g);
        let (m, v) = self.moments.next(s, g, slots);
        let direction = s.fma(s.splat(self.mean_size), m, s.mul(s.splat(self.grad_size), limit_grad(s, g)));
        (s.sub(p, self.moments.div_by_root(s, direction, v)), [m, v.kept])
    }
}
