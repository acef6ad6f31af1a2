//! Nadam: Adam whose momentum looks one step ahead.
//! Comes in: hyper-parameters and the number of the step, then slices; goes out: updated slices.
//! Never a memory of the past momenta: their product follows from the number of the step.

use super::adam::power;
use super::{Rule, over_root, walk, without_tiny};
use crate::math::scalar;
use crate::simd::{Isa, Simd};

/// A step of Nadam: g ← g + weight_decay·p, m ← m + (1 − beta1)·(g − m), v ← beta2·v + (1 − beta2)·g²,
/// p ← p − lr·((1 − μ)/(1 − Πμ)·g + μ′/(1 − Πμ·μ′)·m) / (√v / √(1 − beta2^step) + eps),
///
/// where μ = beta1·(1 − 0.96^(step·momentum_decay)/2), μ′ is that of the next step, and Πμ the product up to this one.
///
/// Dozat, "Incorporating Nesterov Momentum into Adam", 2016, in PyTorch's form.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct NadamStep {
    /// What the gradient itself is multiplied by.
    grad_size: f32,
    /// What the mean gradient is multiplied by.
    mean_size: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
    /// 1 / √(1 − beta2^step).
    root_scale: f32,
    eps: f32,
    weight_decay: f32,
}

impl NadamStep {
    /// Step number `step`, which counts from 1; `betas` are beta1 and beta2.
    ///
    /// # Panics
    /// Where `step == 0`.
    pub fn new(step: u64, lr: f64, betas: (f64, f64), eps: f64, weight_decay: f64, momentum_decay: f64) -> Self {
        assert!(step > 0, "expected a step from 1 on, found 0");
        let (beta1, beta2) = betas;
        let decay = libm::pow(0.96, momentum_decay);
        let at = |decayed: f64| beta1 * (1.0 - 0.5 * decayed);
        let (now, next) = (at(power(decay, step)), at(power(decay, step + 1)));
        let product = product(step, decay, at);
        NadamStep {
            grad_size: (lr * (1.0 - now) / (1.0 - product)) as f32,
            mean_size: (lr * next / (1.0 - product * next)) as f32,
            one_minus_beta1: (1.0 - beta1) as f32,
            beta2: beta2 as f32,
            one_minus_beta2: (1.0 - beta2) as f32,
            root_scale: scalar::sqrt((1.0 / (1.0 - power(beta2, step))) as f32),
            eps: eps as f32,
            weight_decay: weight_decay as f32,
        }
    }

    /// Updates the parameters by their gradients and the moments `m` and `v`, which are 0 before the first step.
    ///
    /// # Panics
    /// Where `grads`, `m` or `v` is not as long as `params`.
    pub fn update(&self, isa: Isa, params: &mut [f32], grads: &[f32], m: &mut [f32], v: &mut [f32]) {
        walk(isa, *self, params, grads, [m, v]);
    }
}

/// The product of the momenta of all steps up to `step`. It halves at least every step at first, so that a few dozen factors are
/// enough: what is below a rounding of 1 is never seen beside it.
fn product(step: u64, decay: f64, at: impl Fn(f64) -> f64) -> f64 {
    let (mut product, mut decayed) = (1.0, 1.0);
    for _ in 0..step {
        decayed *= decay;
        product *= at(decayed);
        if product < 1e-17 {
            return 0.0;
        }
    }
    product
}

impl Rule<2> for NadamStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [m, v]: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let g = s.fma(s.splat(self.weight_decay), p, g);
        let m = without_tiny(s, s.fma(s.splat(self.one_minus_beta1), s.sub(g, m), m));
        let square = s.mul(s.mul(g, s.splat(self.one_minus_beta2)), g);
        let v = without_tiny(s, s.fma(s.splat(self.beta2), v, square));
        let way = s.fma(s.splat(self.mean_size), m, s.mul(s.splat(self.grad_size), g));
        (s.sub(p, over_root(s, way, v, self.root_scale, self.eps)), [m, v])
    }
}
