//! Adam, with either kind of weight decay.
//! Comes in: hyper-parameters and the number of the step, then slices; goes out: updated slices.
//! Never worked out for each parameter: what is the same for all of them.

use super::{Rule, over_root, walk, without_tiny};
use crate::math::scalar;
use crate::simd::{Isa, Simd};

/// A step of Adam or AdamW:
///
/// p ← p·(1 − lr·weight_decay) if `decoupled`, else g ← g + weight_decay·p; then
/// m ← m + (1 − beta1)·(g − m), v ← beta2·v + (1 − beta2)·g²,
/// p ← p − lr / (1 − beta1^step)·m / (√v / √(1 − beta2^step) + eps).
///
/// Kingma and Ba, "Adam", 2014; Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2017, in PyTorch's form.
///
/// ```
/// use nn_kernels::{simd::Isa, update::AdamStep};
///
/// let (mut p, mut m, mut v) = ([1.0], [0.0], [0.0]);
/// AdamStep::new(1, 1e-3, 0.9, 0.999, 1e-8, 0.0, false).update(Isa::detect(), &mut p, &[5.0], &mut m, &mut v);
/// assert!((p[0] - 0.999_f32).abs() < 1e-7); // the first step is lr, whatever the gradient
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AdamStep {
    /// lr / (1 − beta1^step).
    step_size: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
    /// 1 / √(1 − beta2^step).
    root_scale: f32,
    eps: f32,
    /// What of each parameter goes into its gradient: 0 if decoupled.
    penalty: f32,
    /// What is left of each parameter: 1 if not decoupled.
    shrink: f32,
}

impl AdamStep {
    /// Step number `step`, which counts from 1.
    ///
    /// # Panics
    /// Where `step == 0`.
    pub fn new(step: u64, lr: f64, beta1: f64, beta2: f64, eps: f64, weight_decay: f64, decoupled: bool) -> Self {
        assert!(step > 0, "expected a step from 1 on, found 0");
        AdamStep {
            step_size: (lr / (1.0 - power(beta1, step))) as f32,
            one_minus_beta1: (1.0 - beta1) as f32,
            beta2: beta2 as f32,
            one_minus_beta2: (1.0 - beta2) as f32,
            root_scale: scalar::sqrt((1.0 / (1.0 - power(beta2, step))) as f32),
            eps: eps as f32,
            penalty: if decoupled { 0.0 } else { weight_decay as f32 },
            shrink: if decoupled { (1.0 - lr * weight_decay) as f32 } else { 1.0 },
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

/// base^exponent by squaring: `core` has no power.
pub(super) fn power(mut base: f64, mut exponent: u64) -> f64 {
    let mut product = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            product *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    product
}

impl Rule<2> for AdamStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [m, v]: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let g = s.fma(s.splat(self.penalty), p, g);
        let m = without_tiny(s, s.fma(s.splat(self.one_minus_beta1), s.sub(g, m), m));
        let square = s.mul(s.mul(g, s.splat(self.one_minus_beta2)), g);
        let v = without_tiny(s, s.fma(s.splat(self.beta2), v, square));
        let way = over_root(s, m, v, self.root_scale, self.eps);
        let p = s.mul(p, s.splat(self.shrink));
        (s.fma(s.splat(-self.step_size), way, p), [m, v])
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn powers_are_those_of_the_library() {
        for (base, exponent) in [(0.9, 1), (0.999, 7), (0.999, 123_456), (0.5, 2000)] {
            let truth = f64::powf(base, f64::from(exponent));
            assert!((super::power(base, exponent as u64) - truth).abs() <= 1e-10 * truth, "{base}^{exponent}");
        }
    }
}
