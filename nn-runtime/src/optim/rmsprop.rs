//! `RmsProp`: each gradient divided by the root of its recent mean square.

use alloc::string::String;

use super::{Optimizer, not_negative, over_eps, share, states};
use nn_kernels::simd::Isa;
use nn_kernels::update::{RmspropMomentumStep, RmspropStep};

/// RMSprop: `g += weight_decay · p`, `v = alpha · v + (1 - alpha) · g²`, `p -= rate · g / (√v + eps)`; with momentum
/// `b = momentum · b + g / (√v + eps)`, `p -= rate · b`.
///
/// | argument | here | PyTorch's `RMSprop` | Keras's `RMSprop` |
/// |---|---|---|---|
/// | `rate` | must be given | `lr=0.01` | `learning_rate=0.001` |
/// | `alpha` | `0.99` | `alpha=0.99` | `rho=0.9` |
/// | `eps` | `1e-8` | `eps=1e-8` | `epsilon=1e-7`, under the root |
/// | `momentum` | `0.0` | `momentum=0` | `momentum=0.0` |
/// | `weight_decay` (L2) | `0.0` | `weight_decay=0` | none; its `weight_decay` is decoupled |
///
/// Hinton, "Neural Networks for Machine Learning", lecture 6, 2012.
///
/// ```
/// use nn_runtime::Isa;
/// use nn_runtime::optim::{Optimizer, RmsProp};
///
/// let (mut params, mut square) = ([1.0], [0.0]);
/// RmsProp::new(0.01).alpha(0.75).update(Isa::detect(), 1, &mut params, &[8.0], &mut [&mut square]);
/// assert_eq!(square, [16.0]);
/// assert!((params[0] - 0.98).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RmsProp {
    rate: f64,
    alpha: f64,
    eps: f64,
    momentum: f64,
    weight_decay: f64,
}

impl RmsProp {
    /// With this learning rate.
    pub const fn new(rate: f64) -> Self {
        RmsProp { rate, alpha: 0.99, eps: 1e-8, momentum: 0.0, weight_decay: 0.0 }
    }

    /// What is left of the mean square from step to step: from 0 up to but without 1.
    pub const fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// What is added to the root, so that nothing is divided by 0.
    pub const fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// What is left of the velocity from step to step: from 0 up to but without 1.
    pub const fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// What of each parameter is added to its gradient.
    pub const fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

impl Optimizer for RmsProp {
    fn states(&self) -> usize {
        1 + usize::from(self.momentum != 0.0)
    }

    fn update(&self, isa: Isa, _: u64, params: &mut [f32], grads: &[f32], state: &mut [&mut [f32]]) {
        let step = RmspropStep::new(self.rate, self.alpha, self.eps, self.weight_decay);
        if self.momentum == 0.0 {
            let [square] = states(state);
            step.update(isa, params, grads, square);
        } else {
            let [square, velocity] = states(state);
            RmspropMomentumStep::new(step, self.momentum).update(isa, params, grads, square, velocity);
        }
    }

    fn rate(&self) -> f64 {
        self.rate
    }

    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
        let direction = over_eps(grad + self.weight_decay * param, self.eps);
        Some(self.rate * direction / (1.0 - self.momentum))
    }

    fn check(&self) -> Result<(), String> {
        not_negative("a rate", self.rate)?;
        not_negative("an eps", self.eps)?;
        not_negative("a weight decay", self.weight_decay)?;
        share("an alpha", self.alpha, 0.99)?;
        share("a momentum", self.momentum, 0.9)
    }
}
