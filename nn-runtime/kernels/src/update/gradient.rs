//! Stochastic gradient descent, plain and with momentum.
//! Comes in: hyper-parameters, then slices; goes out: updated slices.
//! Never dampening: it is 0, so that a momentum buffer of zeros makes the first step PyTorch's first step.

use super::{Rule, walk, without_tiny};
use crate::simd::{Isa, Simd};

/// A step of gradient descent without memory: p ← p − lr·(g + weight_decay·p).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SgdStep {
    lr: f32,
    weight_decay: f32,
}

impl SgdStep {
    /// The step with this learning rate and L2 penalty.
    pub fn new(lr: f64, weight_decay: f64) -> Self {
        SgdStep { lr: lr as f32, weight_decay: weight_decay as f32 }
    }

    /// Updates the parameters by their gradients.
    ///
    /// # Panics
    /// Where `params.len() != grads.len()`.
    pub fn update(&self, isa: Isa, params: &mut [f32], grads: &[f32]) {
        walk(isa, *self, params, grads, []);
    }
}

impl Rule<0> for SgdStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, state: [S::F; 0]) -> (S::F, [S::F; 0]) {
        let g = s.fma(s.splat(self.weight_decay), p, g);
        (s.fma(s.splat(-self.lr), g, p), state)
    }
}

/// A step of gradient descent with momentum: g ← g + weight_decay·p, v ← momentum·v + g, and then p ← p − lr·v,
/// or p ← p − lr·(g + momentum·v) after Nesterov.
///
/// Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013, in PyTorch's form.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MomentumStep {
    lr: f32,
    momentum: f32,
    weight_decay: f32,
    nesterov: bool,
}

impl MomentumStep {
    /// The step with this learning rate, momentum and L2 penalty.
    pub fn new(lr: f64, momentum: f64, nesterov: bool, weight_decay: f64) -> Self {
        MomentumStep { lr: lr as f32, momentum: momentum as f32, weight_decay: weight_decay as f32, nesterov }
    }

    /// Updates the parameters by their gradients and `v`, which is 0 before the first step.
    ///
    /// # Panics
    /// Where `params.len() != grads.len()` or `params.len() != v.len()`.
    pub fn update(&self, isa: Isa, params: &mut [f32], grads: &[f32], v: &mut [f32]) {
        if self.nesterov {
            walk(isa, Momentum::<true>(*self), params, grads, [v]);
        } else {
            walk(isa, Momentum::<false>(*self), params, grads, [v]);
        }
    }
}

#[derive(Clone, Copy)]
struct Momentum<const NESTEROV: bool>(MomentumStep);

impl<const NESTEROV: bool> Rule<1> for Momentum<NESTEROV> {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [v]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let momentum = s.splat(self.0.momentum);
        let g = s.fma(s.splat(self.0.weight_decay), p, g);
        let v = without_tiny(s, s.fma(momentum, v, g));
        let direction = if NESTEROV { s.fma(momentum, v, g) } else { v };
        (s.fma(s.splat(-self.0.lr), direction, p), [v])
    }
}
