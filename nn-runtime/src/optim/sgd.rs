//! `Sgd`: straight down the gradient, with momentum where wanted.

use crate::text::{String, format};

use super::settings::{below_one, learning_rate, momentum_setting, none_negative, settings};
use super::{Optimizer, array_of_slots, slot_names};
use nn_kernels::optimizer::{UpdateRule, flush_denormals, update};
use nn_kernels::simd::{Isa, Simd};

/// Stochastic gradient descent: `g += weight_decay · p`, `v = momentum · v + (1 - dampening) · g` (at first
/// `v = g`), `p -= learning_rate · v`; after Nesterov `p -= learning_rate · (g + momentum · v)`.
///
/// | argument | here | PyTorch's `SGD` | Keras's `SGD` |
/// |---|---|---|---|
/// | `learning_rate` | must be given | `lr=1e-3` | `learning_rate=0.01` |
/// | `momentum` | `0.0` | `momentum=0` | `momentum=0.0` |
/// | `nesterov` | `false` | `nesterov=False` | `nesterov=False` |
/// | `dampening` | `0.0` | `dampening=0` | none |
/// | `weight_decay` (L2) | `0.0` | `weight_decay=0` | none; its `weight_decay` is decoupled |
///
/// Keras multiplies the velocity by the learning rate before it is kept. Sutskever et al., "On the importance
/// of initialization and momentum in deep learning", 2013.
///
/// ```
/// use nn_runtime::Isa;
/// use nn_runtime::optim::{Optimizer, Sgd};
///
/// let (sgd, mut params) = (Sgd::new(0.5), [1.0, 2.0]);
/// sgd.update(Isa::detect(), 1, &mut params, &[2.0, -2.0], &mut []);
/// assert_eq!(params, [0.0, 3.0]);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sgd {
    learning_rate: f64,
    momentum: f64,
    nesterov: bool,
    dampening: f64,
    weight_decay: f64,
}

settings!(Sgd: momentum, weight_decay);

impl Sgd {
    /// With this learning rate, without momentum.
    pub const fn new(learning_rate: f64) -> Self {
        Sgd { learning_rate, momentum: 0.0, nesterov: false, dampening: 0.0, weight_decay: 0.0 }
    }

    /// Whether a step looks ahead along the velocity; needs momentum.
    pub const fn nesterov(mut self, nesterov: bool) -> Self {
        self.nesterov = nesterov;
        self
    }

    /// What of a gradient does not go into the velocity; needs momentum, and no Nesterov.
    pub const fn dampening(mut self, dampening: f64) -> Self {
        self.dampening = dampening;
        self
    }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Sgd {
    learning_rate!();
    momentum_setting!(momentum);
    slot_names!("momentum_buffer");

    fn slots(&self) -> usize {
        usize::from(self.momentum != 0.0)
    }

    fn update(&self, isa: Isa, step: u64, params: &mut [f32], grads: &[f32], slots: &mut [&mut [f32]]) {
        let (learning_rate, weight_decay) = (self.learning_rate as f32, self.weight_decay as f32);
        let momentum = self.momentum as f32;
        let share = if step > 1 { (1.0 - self.dampening) as f32 } else { 1.0 };
        if self.momentum == 0.0 {
            update(isa, SgdStep { learning_rate, weight_decay }, params, grads, []);
        } else if self.nesterov {
            let rule = MomentumStep::<true> { learning_rate, momentum, share, weight_decay };
            update(isa, rule, params, grads, array_of_slots(slots));
        } else {
            let rule = MomentumStep::<false> { learning_rate, momentum, share, weight_decay };
            update(isa, rule, params, grads, array_of_slots(slots));
        }
    }

    // A velocity is a sum of gradients, each weighted by a power of the momentum; a look ahead adds one more
    // gradient.
    fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
        let velocity = (grad + self.weight_decay * param) / (1.0 - self.momentum);
        Some(self.learning_rate * 2.0 * velocity)
    }

    fn check(&self) -> Result<(), String> {
        none_negative(&[("a learning rate", self.learning_rate), ("a weight decay", self.weight_decay)])?;
        below_one("a momentum", self.momentum, 0.9)?;
        if !(0.0..=1.0).contains(&self.dampening) {
            return Err(format!("expected a dampening from 0 to 1, found {}\nhelp: 0 is usual", self.dampening));
        }
        let unread =
            |setting| Err(format!("expected a momentum above 0 with `{setting}`, found 0\nhelp: add `.momentum(0.9)`"));
        match (self.momentum == 0.0, self.nesterov, self.dampening != 0.0) {
            (true, true, _) => unread("nesterov"),
            (true, _, true) => unread("dampening"),
            (_, true, true) => Err(format!(
                "expected a dampening of 0 with `nesterov`, found {}\nhelp: leave one of the two out",
                self.dampening
            )),
            _ => Ok(()),
        }
    }
}

#[derive(Clone, Copy)]
struct SgdStep {
    learning_rate: f32,
    weight_decay: f32,
}

impl UpdateRule<0> for SgdStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, slots: [S::F; 0]) -> (S::F, [S::F; 0]) {
        let g = s.fma(s.splat(self.weight_decay), p, g);
        (s.fma(s.splat(-self.learning_rate), g, p), slots)
    }
}

/// A velocity of zeros makes the first step PyTorch's first step.
#[derive(Clone, Copy)]
struct MomentumStep<const NESTEROV: bool> {
    learning_rate: f32,
    momentum: f32,
    /// What of a gradient goes into the velocity.
    share: f32,
    weight_decay: f32,
}

impl<const NESTEROV: bool> UpdateRule<1> for MomentumStep<NESTEROV> {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [v]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let momentum = s.splat(self.momentum);
        let g = s.fma(s.splat(self.weight_decay), p, g);
        let v = flush_denormals(s, s.fma(momentum, v, s.mul(s.splat(self.share), g)));
        let direction = if NESTEROV { s.fma(momentum, v, g) } else { v };
        (s.fma(s.splat(-self.learning_rate), direction, p), [v])
    }
}
