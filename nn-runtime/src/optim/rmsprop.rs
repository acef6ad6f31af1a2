//! `RmsProp`: each gradient divided by the root of its recent mean square.

use alloc::string::String;

use super::settings::{below_one, learning_rate, none_negative, settings};
use super::{Optimizer, array_of_slots, over_eps, slot_names};
use nn_kernels::optimizer::{
    SQUARE_ROOT_SCALE, SQUARE_SCALE, UpdateRule, div_by_sqrt, flush_denormals, flush_square, limit_grad, update,
};
use nn_kernels::simd::{Isa, Simd};

/// RMSprop: `g += weight_decay · p`, `v = alpha · v + (1 - alpha) · g²`,
/// `p -= learning_rate · g / (√v + eps)`; with momentum `b = momentum · b + g / (√v + eps)`,
/// `p -= learning_rate · b`.
///
/// | argument | here | PyTorch's `RMSprop` | Keras's `RMSprop` |
/// |---|---|---|---|
/// | `learning_rate` | must be given | `lr=0.01` | `learning_rate=0.001` |
/// | `alpha` | `0.99` | `alpha=0.99` | `rho=0.9` |
/// | `eps` | `1e-8` | `eps=1e-8` | `epsilon=1e-7`, under the root |
/// | `momentum` | `0.0` | `momentum=0` | `momentum=0.0` |
/// | `weight_decay` (L2) | `0.0` | `weight_decay=0` | none; its `weight_decay` is decoupled |
///
/// Right for gradients from 1e-18 to 1e18, with any `eps`; larger ones count as 1.15e18. The first slot is
/// `v` times 64. Hinton, "Neural Networks for Machine Learning", lecture 6, 2012.
///
/// ```
/// use nn_runtime::Isa;
/// use nn_runtime::optim::{Optimizer, RmsProp};
///
/// let (mut params, mut square) = ([1.0], [0.0]);
/// RmsProp::new(0.01).alpha(0.75).update(Isa::detect(), 1, &mut params, &[8.0], &mut [&mut square]);
/// assert_eq!(square, [64.0 * 16.0]);
/// assert!((params[0] - 0.98).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RmsProp {
    learning_rate: f64,
    alpha: f64,
    eps: f64,
    momentum: f64,
    weight_decay: f64,
}

settings!(RmsProp: eps, momentum, weight_decay);

impl RmsProp {
    /// With this learning rate.
    pub const fn new(learning_rate: f64) -> Self {
        RmsProp { learning_rate, alpha: 0.99, eps: 1e-8, momentum: 0.0, weight_decay: 0.0 }
    }

    /// What is left of the mean square from step to step: from 0 up to but without 1.
    pub const fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }
}

#[diagnostic::do_not_recommend]
impl Optimizer for RmsProp {
    learning_rate!();
    slot_names!("square_avg", "momentum_buffer");

    fn slots(&self) -> usize {
        1 + usize::from(self.momentum != 0.0)
    }

    fn update(&self, isa: Isa, _: u64, params: &mut [f32], grads: &[f32], slots: &mut [&mut [f32]]) {
        let rule = RmsPropStep {
            learning_rate: self.learning_rate as f32,
            alpha: self.alpha as f32,
            one_minus_alpha: SQUARE_SCALE * (1.0 - self.alpha) as f32,
            eps: self.eps as f32,
            momentum: self.momentum as f32,
            weight_decay: self.weight_decay as f32,
        };
        if self.momentum == 0.0 {
            update::<_, 1>(isa, rule, params, grads, array_of_slots(slots));
        } else {
            update::<_, 2>(isa, rule, params, grads, array_of_slots(slots));
        }
    }

    fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
        let direction = over_eps(grad + self.weight_decay * param, self.eps);
        Some(self.learning_rate * direction / (1.0 - self.momentum))
    }

    fn check(&self) -> Result<(), String> {
        none_negative(&[
            ("a learning rate", self.learning_rate),
            ("an eps", self.eps),
            ("a weight decay", self.weight_decay),
        ])?;
        below_one("an alpha", self.alpha, 0.99)?;
        below_one("a momentum", self.momentum, 0.9)
    }
}

#[derive(Clone, Copy)]
struct RmsPropStep {
    learning_rate: f32,
    alpha: f32,
    /// 1 - alpha, times the scale of squares.
    one_minus_alpha: f32,
    eps: f32,
    momentum: f32,
    weight_decay: f32,
}

impl RmsPropStep {
    /// `g / (√v + eps)` and the new `v`.
    #[inline(always)]
    fn direction<S: Simd>(self, s: S, p: S::F, g: S::F, v: S::F) -> (S::F, S::F) {
        let g = limit_grad(s, s.fma(s.splat(self.weight_decay), p, g));
        let square = s.mul(s.mul(g, s.splat(self.one_minus_alpha)), g);
        let v = flush_square(s, s.fma(s.splat(self.alpha), v, square));
        (div_by_sqrt(s, g, v, SQUARE_ROOT_SCALE, self.eps), v.kept)
    }
}

/// Without momentum.
impl UpdateRule<1> for RmsPropStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [v]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let (direction, v) = self.direction(s, p, g, v);
        (s.fma(s.splat(-self.learning_rate), direction, p), [v])
    }
}

/// With momentum.
impl UpdateRule<2> for RmsPropStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [v, b]: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let (direction, v) = self.direction(s, p, g, v);
        let b = flush_denormals(s, s.fma(s.splat(self.momentum), b, direction));
        (s.fma(s.splat(-self.learning_rate), b, p), [v, b])
    }
}
