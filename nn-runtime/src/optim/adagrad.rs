//! `Adagrad`: each gradient divided by the root of the sum of all its squares.

use crate::text::String;

use super::settings::{learning_rate, none_negative, settings};
use super::{Optimizer, array_of_slots, over_eps, slot_names};
use nn_kernels::optimizer::{UpdateRule, div_by_sqrt, flush_square, limit_grad, update};
use nn_kernels::simd::{Isa, Simd};

/// Adagrad: `v += g²`, `p -= learning_rate / (1 + (step - 1) · rate_decay) · g / (√v + eps)`, with
/// `v = initial` at first.
///
/// | argument | here | PyTorch's `Adagrad` | Keras's `Adagrad` |
/// |---|---|---|---|
/// | `learning_rate` | must be given | `lr=0.01` | `learning_rate=0.001` |
/// | `eps` | `1e-10` | `eps=1e-10` | `epsilon=1e-7`, under the root |
/// | `rate_decay` | `0.0` | `lr_decay=0` | none |
/// | `initial` | `0.0` | `initial_accumulator_value=0` | `initial_accumulator_value=0.1` |
///
/// Right for gradients from 1e-18 to 1e18, with any `eps`; larger ones count as 1.15e18, and the sum stops
/// growing at 3.4e38. Duchi, Hazan & Singer, "Adaptive Subgradient Methods", 2011.
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
    learning_rate: f64,
    eps: f64,
    rate_decay: f64,
    initial: f32,
}

settings!(Adagrad: eps);

impl Adagrad {
    /// With this learning rate.
    pub const fn new(learning_rate: f64) -> Self {
        Adagrad { learning_rate, eps: 1e-10, rate_decay: 0.0, initial: 0.0 }
    }

    /// How fast the learning rate itself falls with the steps.
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

#[diagnostic::do_not_recommend]
impl Optimizer for Adagrad {
    learning_rate!();
    slot_names!("sum");

    fn slots(&self) -> usize {
        1
    }

    fn initial_slot(&self, _: usize) -> f32 {
        self.initial
    }

    fn update(&self, isa: Isa, step: u64, params: &mut [f32], grads: &[f32], slots: &mut [&mut [f32]]) {
        assert!(step > 0, "expected a step from 1 on, found 0");
        let learning_rate = self.learning_rate / (1.0 + (step - 1) as f64 * self.rate_decay);
        let rule = AdagradStep { learning_rate: learning_rate as f32, eps: self.eps as f32 };
        update::<_, 1>(isa, rule, params, grads, array_of_slots(slots));
    }

    fn change_limit(&self, grad: f64, _: f64) -> Option<f64> {
        Some(self.learning_rate * over_eps(grad, self.eps))
    }

    fn check(&self) -> Result<(), String> {
        none_negative(&[
            ("a learning rate", self.learning_rate),
            ("an eps", self.eps),
            ("a rate decay", self.rate_decay),
            ("an initial sum of squares", self.initial.into()),
        ])
    }
}

#[derive(Clone, Copy)]
struct AdagradStep {
    learning_rate: f32,
    eps: f32,
}

impl UpdateRule<1> for AdagradStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [v]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let g = limit_grad(s, g);
        // The sum stays finite: the root of an infinite one would be NaN. The limit stands first, so that NaN
        // stays.
        let v = flush_square(s, s.min(s.splat(f32::MAX), s.fma(g, g, v)));
        let direction = div_by_sqrt(s, g, v, 1.0, self.eps);
        (s.fma(s.splat(-self.learning_rate), direction, p), [v.kept])
    }
}
