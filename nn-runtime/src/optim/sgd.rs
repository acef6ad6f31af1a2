//! `Sgd`: straight down the gradient, with momentum where wanted.

use alloc::string::{String, ToString};

use super::{Optimizer, not_negative, share, states};
use nn_kernels::simd::Isa;
use nn_kernels::update::{MomentumStep, SgdStep};

/// Stochastic gradient descent: `g += weight_decay · p`, `v = momentum · v + g`, `p -= rate · v`; after Nesterov
/// `p -= rate · (g + momentum · v)`.
///
/// | argument | here | PyTorch's `SGD` | Keras's `SGD` |
/// |---|---|---|---|
/// | `rate` | must be given | `lr=1e-3` | `learning_rate=0.01` |
/// | `momentum` | `0.0` | `momentum=0` | `momentum=0.0` |
/// | `nesterov` | `false` | `nesterov=False` | `nesterov=False` |
/// | `weight_decay` (L2) | `0.0` | `weight_decay=0` | none; its `weight_decay` is decoupled |
///
/// Keras multiplies the velocity by the rate before it is kept. Sutskever et al., "On the importance of initialization and momentum
/// in deep learning", 2013.
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
    rate: f64,
    momentum: f64,
    nesterov: bool,
    weight_decay: f64,
}

impl Sgd {
    /// With this learning rate, without momentum.
    pub const fn new(rate: f64) -> Self {
        Sgd { rate, momentum: 0.0, nesterov: false, weight_decay: 0.0 }
    }

    /// What is left of the velocity from step to step: from 0 up to but without 1.
    pub const fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// Whether a step looks ahead along the velocity; needs momentum.
    pub const fn nesterov(mut self, nesterov: bool) -> Self {
        self.nesterov = nesterov;
        self
    }

    /// What of each parameter is added to its gradient.
    pub const fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

impl Optimizer for Sgd {
    fn states(&self) -> usize {
        usize::from(self.momentum != 0.0)
    }

    fn update(&self, isa: Isa, _: u64, params: &mut [f32], grads: &[f32], state: &mut [&mut [f32]]) {
        if self.momentum == 0.0 {
            SgdStep::new(self.rate, self.weight_decay).update(isa, params, grads);
        } else {
            let [velocity] = states(state);
            let step = MomentumStep::new(self.rate, self.momentum, self.nesterov, self.weight_decay);
            step.update(isa, params, grads, velocity);
        }
    }

    fn rate(&self) -> f64 {
        self.rate
    }

    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    // A velocity is a sum of gradients, each weighted by a power of the momentum; a look ahead adds one more gradient.
    fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
        let velocity = (grad + self.weight_decay * param) / (1.0 - self.momentum);
        Some(self.rate * 2.0 * velocity)
    }

    fn check(&self) -> Result<(), String> {
        not_negative("a rate", self.rate)?;
        not_negative("a weight decay", self.weight_decay)?;
        share("a momentum", self.momentum, 0.9)?;
        match self.nesterov && self.momentum == 0.0 {
            true => Err("expected a momentum above 0 with `nesterov`, found 0\nhelp: add `.momentum(0.9)`".to_string()),
            false => Ok(()),
        }
    }
}
