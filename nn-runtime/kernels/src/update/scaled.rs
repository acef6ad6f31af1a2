//! Optimisers that divide the gradient by the root of its past squares: RMSprop and Adagrad.
//! Comes in: hyper-parameters, then slices; goes out: updated slices.
//! Never `eps` under the root: it is added after it, as in PyTorch.

use super::{Rule, over_root, walk, without_tiny};
use crate::simd::{Isa, Simd};

/// A step of RMSprop: g ← g + weight_decay·p, v ← alpha·v + (1 − alpha)·g², p ← p − lr·g / (√v + eps).
///
/// Hinton, "Neural Networks for Machine Learning", lecture 6, 2012.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RmspropStep {
    lr: f32,
    alpha: f32,
    one_minus_alpha: f32,
    eps: f32,
    weight_decay: f32,
}

impl RmspropStep {
    /// The step with this learning rate, decay `alpha` of the squares, and L2 penalty.
    pub fn new(lr: f64, alpha: f64, eps: f64, weight_decay: f64) -> Self {
        RmspropStep {
            lr: lr as f32,
            alpha: alpha as f32,
            one_minus_alpha: (1.0 - alpha) as f32,
            eps: eps as f32,
            weight_decay: weight_decay as f32,
        }
    }

    /// Updates the parameters by their gradients and the mean squares `v`, which are 0 before the first step.
    ///
    /// # Panics
    /// Where `params.len() != grads.len()` or `params.len() != v.len()`.
    pub fn update(&self, isa: Isa, params: &mut [f32], grads: &[f32], v: &mut [f32]) {
        walk(isa, *self, params, grads, [v]);
    }

    /// g / (√v + eps) and the new v.
    #[inline(always)]
    fn direction<S: Simd>(self, s: S, p: S::F, g: S::F, v: S::F) -> (S::F, S::F) {
        let g = s.fma(s.splat(self.weight_decay), p, g);
        let square = s.mul(s.mul(g, s.splat(self.one_minus_alpha)), g);
        let v = without_tiny(s, s.fma(s.splat(self.alpha), v, square));
        (over_root(s, g, v, 1.0, self.eps), v)
    }
}

impl Rule<1> for RmspropStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [v]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let (direction, v) = self.direction(s, p, g, v);
        (s.fma(s.splat(-self.lr), direction, p), [v])
    }
}

/// A step of RMSprop with momentum: b ← momentum·b + g / (√v + eps), p ← p − lr·b, and the rest as [`RmspropStep`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RmspropMomentumStep {
    base: RmspropStep,
    momentum: f32,
}

impl RmspropMomentumStep {
    /// The step `base`, with momentum.
    pub fn new(base: RmspropStep, momentum: f64) -> Self {
        RmspropMomentumStep { base, momentum: momentum as f32 }
    }

    /// Updates the parameters by their gradients, the mean squares `v` and the buffer `b`, both 0 before the first step.
    ///
    /// # Panics
    /// Where `grads`, `v` or `b` is not as long as `params`.
    pub fn update(&self, isa: Isa, params: &mut [f32], grads: &[f32], v: &mut [f32], b: &mut [f32]) {
        walk(isa, *self, params, grads, [v, b]);
    }
}

impl Rule<2> for RmspropMomentumStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [v, b]: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let (direction, v) = self.base.direction(s, p, g, v);
        let b = without_tiny(s, s.fma(s.splat(self.momentum), b, direction));
        (s.fma(s.splat(-self.base.lr), b, p), [v, b])
    }
}

/// A step of Adagrad: g ← g + weight_decay·p, v ← v + g², p ← p − lr / (1 + (step − 1)·lr_decay)·g / (√v + eps).
///
/// Duchi, Hazan and Singer, "Adaptive Subgradient Methods", 2011.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AdagradStep {
    lr: f32,
    eps: f32,
    weight_decay: f32,
}

impl AdagradStep {
    /// Step number `step`, which counts from 1.
    ///
    /// # Panics
    /// Where `step == 0`.
    pub fn new(step: u64, lr: f64, lr_decay: f64, eps: f64, weight_decay: f64) -> Self {
        assert!(step > 0, "expected a step from 1 on, found 0");
        let lr = lr / (1.0 + (step - 1) as f64 * lr_decay);
        AdagradStep { lr: lr as f32, eps: eps as f32, weight_decay: weight_decay as f32 }
    }

    /// Updates the parameters by their gradients and the sums of squares `v`, which start at the initial accumulator value.
    ///
    /// # Panics
    /// Where `params.len() != grads.len()` or `params.len() != v.len()`.
    pub fn update(&self, isa: Isa, params: &mut [f32], grads: &[f32], v: &mut [f32]) {
        walk(isa, *self, params, grads, [v]);
    }
}

impl Rule<1> for AdagradStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [v]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let g = s.fma(s.splat(self.weight_decay), p, g);
        let v = without_tiny(s, s.fma(g, g, v));
        let direction = over_root(s, g, v, 1.0, self.eps);
        (s.fma(s.splat(-self.lr), direction, p), [v])
    }
}
