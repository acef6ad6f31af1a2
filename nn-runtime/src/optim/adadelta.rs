//! `Adadelta`: each gradient times the root of its recent steps' mean square over that of its own.

use crate::text::String;

use super::settings::{above_zero, below_one, learning_rate, none_negative, settings};
use super::{Optimizer, array_of_slots, slot_names};
use nn_kernels::optimizer::{UpdateRule, flush_square, limit_grad, update};
use nn_kernels::simd::{Isa, Simd};

/// Adadelta: `g += weight_decay · p`, `v = rho · v + (1 - rho) · g²`, `d = √(a + eps) / √(v + eps) · g`,
/// `a = rho · a + (1 - rho) · d²`, `p -= learning_rate · d`.
///
/// | argument | here | PyTorch's `Adadelta` | Keras's `Adadelta` |
/// |---|---|---|---|
/// | `learning_rate` | must be given | `lr=1.0` | `learning_rate=0.001` |
/// | `rho` | `0.9` | `rho=0.9` | `rho=0.95` |
/// | `eps`, above 0 | `1e-6` | `eps=1e-6` | `epsilon=1e-7` |
/// | `weight_decay` (L2) | `0.0` | `weight_decay=0` | none; its `weight_decay` is decoupled |
///
/// A step has the unit of the parameters: 1 is the learning rate of the paper. Gradients beyond 1.15e18 count
/// as that. Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012.
///
/// ```
/// use nn_runtime::Isa;
/// use nn_runtime::optim::{Adadelta, Optimizer};
///
/// let (mut params, mut square, mut way) = ([1.0], [0.0], [0.0]);
/// Adadelta::new(1.0).rho(0.75).update(Isa::detect(), 1, &mut params, &[8.0], &mut [&mut square, &mut way]);
/// assert_eq!(square, [16.0]);
/// assert!((params[0] - (1.0 - 2e-3)).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Adadelta {
    learning_rate: f64,
    rho: f64,
    eps: f64,
    weight_decay: f64,
}

settings!(Adadelta: eps, weight_decay);

impl Adadelta {
    /// With this learning rate.
    pub const fn new(learning_rate: f64) -> Self {
        Adadelta { learning_rate, rho: 0.9, eps: 1e-6, weight_decay: 0.0 }
    }

    /// What is left of both mean squares from step to step: from 0 up to but without 1.
    pub const fn rho(mut self, rho: f64) -> Self {
        self.rho = rho;
        self
    }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Adadelta {
    learning_rate!();
    slot_names!("square_avg", "acc_delta");

    fn slots(&self) -> usize {
        2
    }

    fn update(&self, isa: Isa, _: u64, params: &mut [f32], grads: &[f32], slots: &mut [&mut [f32]]) {
        let rule = AdadeltaStep {
            learning_rate: self.learning_rate as f32,
            rho: self.rho as f32,
            one_minus_rho: (1.0 - self.rho) as f32,
            eps: self.eps as f32,
            weight_decay: self.weight_decay as f32,
        };
        update(isa, rule, params, grads, array_of_slots(slots));
    }

    fn check(&self) -> Result<(), String> {
        none_negative(&[("a learning rate", self.learning_rate), ("a weight decay", self.weight_decay)])?;
        above_zero("an eps", self.eps, 1e-6)?;
        below_one("a rho", self.rho, 0.9)
    }
}

#[derive(Clone, Copy)]
struct AdadeltaStep {
    learning_rate: f32,
    rho: f32,
    one_minus_rho: f32,
    eps: f32,
    weight_decay: f32,
}

impl AdadeltaStep {
    /// The new mean square of `x`.
    #[inline(always)]
    fn mean_square<S: Simd>(self, s: S, mean: S::F, x: S::F) -> S::F {
        let square = s.mul(s.mul(x, s.splat(self.one_minus_rho)), x);
        flush_square(s, s.fma(s.splat(self.rho), mean, square)).kept
    }
}

impl UpdateRule<2> for AdadeltaStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [v, a]: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let (g, eps) = (limit_grad(s, s.fma(s.splat(self.weight_decay), p, g)), s.splat(self.eps));
        let v = self.mean_square(s, v, g);
        let ratio = s.near_div(s.near_sqrt(s.add(a, eps)), s.near_sqrt(s.add(v, eps)));
        let way = s.mul(ratio, g);
        (s.fma(s.splat(-self.learning_rate), way, p), [v, self.mean_square(s, a, way)])
    }
}
