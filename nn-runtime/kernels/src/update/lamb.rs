//! Lamb: Adam's direction, as long as the tensor it changes.
//! Comes in: hyper-parameters and the number of the step, then the slices of one whole tensor; goes out: updated slices.
//! Never a part of a tensor, whose length would be another.

use super::adam::power;
use super::norm::sum_of_squares;
use super::{Rule, over_root, walk, without_tiny};
use crate::math::scalar;
use crate::simd::{Isa, Simd};

/// A step of Lamb: m ← m + (1 − beta1)·(g − m), v ← beta2·v + (1 − beta2)·g²,
/// u = m / (1 − beta1^step) / (√v / √(1 − beta2^step) + eps) + weight_decay·p, p ← p − lr·‖p‖/‖u‖·u,
///
/// without the ratio where either norm is 0.
///
/// You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", 2020, algorithm 2.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LambStep {
    lr: f64,
    /// 1 / (1 − beta1^step).
    mean_scale: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
    /// 1 / √(1 − beta2^step).
    root_scale: f32,
    eps: f32,
    weight_decay: f32,
}

impl LambStep {
    /// Step number `step`, which counts from 1.
    ///
    /// # Panics
    /// Where `step == 0`.
    pub fn new(step: u64, lr: f64, beta1: f64, beta2: f64, eps: f64, weight_decay: f64) -> Self {
        assert!(step > 0, "expected a step from 1 on, found 0");
        LambStep {
            lr,
            mean_scale: (1.0 / (1.0 - power(beta1, step))) as f32,
            one_minus_beta1: (1.0 - beta1) as f32,
            beta2: beta2 as f32,
            one_minus_beta2: (1.0 - beta2) as f32,
            root_scale: scalar::sqrt((1.0 / (1.0 - power(beta2, step))) as f32),
            eps: eps as f32,
            weight_decay: weight_decay as f32,
        }
    }

    /// Updates a whole tensor by its gradients and the moments `m` and `v`, which are 0 before the first step. `grads` is left with
    /// the direction that was gone.
    ///
    /// # Panics
    /// Where `grads`, `m` or `v` is not as long as `params`.
    pub fn update(&self, isa: Isa, params: &mut [f32], grads: &mut [f32], m: &mut [f32], v: &mut [f32]) {
        // What is changed in the walk is the gradient, into the direction; the parameters are only read.
        walk(isa, *self, grads, params, [m, v]);
        let (length, way) = (sum_of_squares(isa, params), sum_of_squares(isa, grads));
        let ratio = if length > 0.0 && way > 0.0 { libm::sqrt(length / way) } else { 1.0 };
        isa.axpy(-(self.lr * ratio) as f32, grads, params);
    }
}

impl Rule<2> for LambStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, g: S::F, p: S::F, [m, v]: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let m = without_tiny(s, s.fma(s.splat(self.one_minus_beta1), s.sub(g, m), m));
        let square = s.mul(s.mul(g, s.splat(self.one_minus_beta2)), g);
        let v = without_tiny(s, s.fma(s.splat(self.beta2), v, square));
        let way = s.mul(s.splat(self.mean_scale), over_root(s, m, v, self.root_scale, self.eps));
        (s.fma(s.splat(self.weight_decay), p, way), [m, v])
    }
}
