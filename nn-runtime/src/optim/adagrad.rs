//! `Adagrad`: each gradient divided by the root of the sum of all its squares.

use alloc::string::String;

use super::{Optimizer, not_negative, over_eps, states};
use nn_kernels::simd::Isa;
use nn_kernels::update::AdagradStep;

/// Adagrad: `v += g²`, `p -= rate / (1 + (step - 1) · rate_decay) · g / (√v + eps)`, with `v = initial` at first.
///
/// | argument | here | PyTorch's `Adagrad` | Keras's `Adagrad` |
/// |---|---|---|---|
/// | `rate` | must be given | `lr=0.01` | `learning_rate=0.001` |
/// | `eps` | `1e-10` | `eps=1e-10` | `epsilon=1e-7`, under the root |
/// | `rate_decay` | `0.0` | `lr_decay=0` | none |
/// | `initial` | `0.0` | `initial_accumulator_value=0` | `initial_accumulator_value=0.1` |
///
/// Duchi, Hazan & Singer, "Adaptive Subgradient Methods", 2011.
///
/// ```
/// use nn_runtime::Isa;
/// use nn_runtime::optim::{Adagrad, Optimizer};
///
/// let (mut params, mut square) = ([1.0], [7.0]);
/// Adagrad::new(0.5).update(Isa::detect(), 1, &mut params, &[3.0], &mut [&mut square]);
/// assert_eq!((params, square), ([0.625], [16.0]));
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Adagrad {
    rate: f64,
    eps: f64,
    rate_decay: f64,
    initial: f32,
}

impl Adagrad {
    /// With this learning rate.
    pub const fn new(rate: f64) -> Self {
        Adagrad { rate, eps: 1e-10, rate_decay: 0.0, initial: 0.0 }
    }

    /// What is added to the root, so that nothing is divided by 0.
    pub const fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// How fast the rate itself falls with the steps.
    pub const fn rate_decay(mut self, rate_decay: f64) -> Self {
        self.rate_decay = rate_decay;
        self
    }

    /// What the sum of squares begins with.
    pub const fn initial(mut self, initial: f32) -> Self {
        self.initial = initial;
        self
    }
}

impl Optimizer for Adagrad {
    fn states(&self) -> usize {
        1
    }

    fn initial_state(&self, _: usize) -> f32 {
        self.initial
    }

    fn update(&self, isa: Isa, step: u64, params: &mut [f32], grads: &[f32], state: &mut [&mut [f32]]) {
        let [square] = states(state);
        AdagradStep::new(step, self.rate, self.rate_decay, self.eps, 0.0).update(isa, params, grads, square);
    }

    fn rate(&self) -> f64 {
        self.rate
    }

    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    fn change_limit(&self, grad: f64, _: f64) -> Option<f64> {
        Some(self.rate * over_eps(grad, self.eps))
    }

    fn check(&self) -> Result<(), String> {
        not_negative("a rate", self.rate)?;
        not_negative("an eps", self.eps)?;
        not_negative("a rate decay", self.rate_decay)?;
        not_negative("an initial sum of squares", self.initial.into())
    }
}
