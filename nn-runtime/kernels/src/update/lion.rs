//! Lion: the sign of a mean gradient, and nothing else of it.
//! Comes in: hyper-parameters, then slices; goes out: updated slices.
//! Never a direction where there is no gradient: the sign of 0 is 0, and of NaN it is NaN.

use super::{Rule, walk, without_tiny};
use crate::simd::{Isa, Simd};

/// A step of Lion: p ← p·(1 − lr·weight_decay) − lr·sign(beta1·m + (1 − beta1)·g), and then m ← beta2·m + (1 − beta2)·g.
///
/// Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LionStep {
    lr: f32,
    beta1: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
    /// What is left of each parameter.
    shrink: f32,
}

impl LionStep {
    /// The step with this learning rate, these shares of the past, and decoupled weight decay.
    pub fn new(lr: f64, beta1: f64, beta2: f64, weight_decay: f64) -> Self {
        LionStep {
            lr: lr as f32,
            beta1: beta1 as f32,
            one_minus_beta1: (1.0 - beta1) as f32,
            beta2: beta2 as f32,
            one_minus_beta2: (1.0 - beta2) as f32,
            shrink: (1.0 - lr * weight_decay) as f32,
        }
    }

    /// Updates the parameters by their gradients and the mean `m`, which is 0 before the first step.
    ///
    /// # Panics
    /// Where `grads` or `m` is not as long as `params`.
    pub fn update(&self, isa: Isa, params: &mut [f32], grads: &[f32], m: &mut [f32]) {
        walk(isa, *self, params, grads, [m]);
    }
}

impl Rule<1> for LionStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [m]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let way = s.fma(s.splat(self.beta1), m, s.mul(s.splat(self.one_minus_beta1), g));
        let m = without_tiny(s, s.fma(s.splat(self.beta2), m, s.mul(s.splat(self.one_minus_beta2), g)));
        let p = s.mul(p, s.splat(self.shrink));
        (s.fma(s.splat(-self.lr), sign(s, way), p), [m])
    }
}

/// 1, −1, or the number itself where it is neither above nor below 0.
#[inline(always)]
pub(super) fn sign<S: Simd>(s: S, x: S::F) -> S::F {
    let zero = s.splat(0.0);
    s.select(s.gt(x, zero), s.splat(1.0), s.select(s.lt(x, zero), s.splat(-1.0), x))
}
