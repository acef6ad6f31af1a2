//! `RmsProp`: each gradient divided by the root of its recent mean square.

use crate::text::String;

use super::settings::{below_one, learning_rate, momentum_setting, none_negative, settings};
use super::{Optimizer, array_of_slots, over_eps};
use nn_kernels::optimizer::{
    SQUARE_ROOT_SCALE, SQUARE_SCALE, Square, UpdateRule, div_by_sqrt, flush_denormals, flush_square, limit_grad, update,
};
use nn_kernels::simd::{Isa, Simd};

/// RMSprop: `g += weight_decay · p`, `v = alpha · v + (1 - alpha) · g²`,
/// `p -= learning_rate · g / (√v + eps)`; with momentum `b = momentum · b + g / (√v + eps)`,
/// `p -= learning_rate · b`. Centred, `v - m²` stands in the place of `v`, with
/// `m = alpha · m + (1 - alpha) · g`.
///
/// | argument | here | PyTorch's `RMSprop` | Keras's `RMSprop` |
/// |---|---|---|---|
/// | `learning_rate` | must be given | `lr=0.01` | `learning_rate=0.001` |
/// | `alpha` | `0.99` | `alpha=0.99` | `rho=0.9` |
/// | `eps` | `1e-8` | `eps=1e-8` | `epsilon=1e-7`, under the root |
/// | `momentum` | `0.0` | `momentum=0` | `momentum=0.0` |
/// | `centered` | `false` | `centered=False` | `centered=False` |
/// | `weight_decay` (L2) | `0.0` | `weight_decay=0` | none; its `weight_decay` is decoupled |
///
/// Right for gradients from 1e-18 to 1e18, with any `eps`; larger ones count as 1.15e18. The first slot is
/// `v` times 64. `f32` knows `v - m²` to about 2⁻²⁰ of `v`: less than that counts as that, where
/// PyTorch takes what rounding leaves, which may be NaN. Hinton, "Neural Networks for Machine Learning",
/// lecture 6, 2012.
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
    centered: bool,
    weight_decay: f64,
}

settings!(RmsProp: eps, momentum, weight_decay);

impl RmsProp {
    /// With this learning rate.
    pub const fn new(learning_rate: f64) -> Self {
        RmsProp { learning_rate, alpha: 0.99, eps: 1e-8, momentum: 0.0, centered: false, weight_decay: 0.0 }
    }

    /// What is left of the mean square from step to step: from 0 up to but without 1.
    pub const fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Whether the mean gradient is subtracted from the mean square: one more slot.
    pub const fn centered(mut self, centered: bool) -> Self {
        self.centered = centered;
        self
    }
}

#[diagnostic::do_not_recommend]
impl Optimizer for RmsProp {
    learning_rate!();
    momentum_setting!(momentum);

    fn slot_name(&self, k: usize) -> String {
        match k {
            0 => "square_avg",
            1 if self.centered => "grad_avg",
            _ => "momentum_buffer",
        }
        .into()
    }

    fn slots(&self) -> usize {
        1 + usize::from(self.centered) + usize::from(self.momentum != 0.0)
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
        match (self.centered, self.momentum != 0.0) {
            (false, false) => update::<_, 1>(isa, rule, params, grads, array_of_slots(slots)),
            (false, true) => update::<_, 2>(isa, rule, params, grads, array_of_slots(slots)),
            (true, false) => update::<_, 2>(isa, Centered(rule), params, grads, array_of_slots(slots)),
            (true, true) => update::<_, 3>(isa, Centered(rule), params, grads, array_of_slots(slots)),
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
    /// The gradient with its penalty, and the new mean square, scaled.
    #[inline(always)]
    fn mean_square<S: Simd>(self, s: S, p: S::F, g: S::F, v: S::F) -> (S::F, Square<S::F>) {
        let g = limit_grad(s, s.fma(s.splat(self.weight_decay), p, g));
        let square = s.mul(s.mul(g, s.splat(self.one_minus_alpha)), g);
        (g, flush_square(s, s.fma(s.splat(self.alpha), v, square)))
    }

    /// `g / (√v + eps)` and the new `v`.
    #[inline(always)]
    fn direction<S: Simd>(self, s: S, p: S::F, g: S::F, v: S::F) -> (S::F, S::F) {
        let (g, v) = self.mean_square(s, p, g, v);
        (div_by_sqrt(s, g, v, SQUARE_ROOT_SCALE, self.eps), v.kept)
    }

    /// `b = momentum · b + direction`.
    #[inline(always)]
    fn velocity<S: Simd>(self, s: S, b: S::F, direction: S::F) -> S::F {
        flush_denormals(s, s.fma(s.splat(self.momentum), b, direction))
    }

    /// The new parameters.
    #[inline(always)]
    fn params<S: Simd>(self, s: S, p: S::F, direction: S::F) -> S::F {
        s.fma(s.splat(-self.learning_rate), direction, p)
    }
}

/// Without momentum.
impl UpdateRule<1> for RmsPropStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [v]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let (direction, v) = self.direction(s, p, g, v);
        (self.params(s, p, direction), [v])
    }
}

/// With momentum.
impl UpdateRule<2> for RmsPropStep {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [v, b]: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let (direction, v) = self.direction(s, p, g, v);
        let b = self.velocity(s, b, direction);
        (self.params(s, p, b), [v, b])
    }
}

/// With the mean gradient subtracted.
#[derive(Clone, Copy)]
struct Centered(RmsPropStep);

impl Centered {
    /// What share of a mean square `f32` tells from 0 beside it.
    const RESOLVED: f32 = 1.0 / (1 << 20) as f32;

    /// `g / (√(v - m²) + eps)`, and the new `v` and `m`.
    #[inline(always)]
    fn direction<S: Simd>(self, s: S, p: S::F, g: S::F, [v, m]: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let (g, v) = self.0.mean_square(s, p, g, v);
        // m + (1 - alpha) · (g - m), with the scale of squares taken out again.
        let share = s.splat(self.0.one_minus_alpha / SQUARE_SCALE);
        let m = flush_denormals(s, s.fma(share, s.sub(g, m), m));
        let rest = s.fma(s.mul(m, s.splat(-SQUARE_SCALE)), m, v.kept);
        // The floor stands first: where the rest is NaN, `max` gives the second.
        let rest = flush_square(s, s.max(s.mul(v.kept, s.splat(Self::RESOLVED)), rest));
        (div_by_sqrt(s, g, rest, SQUARE_ROOT_SCALE, self.0.eps), [v.kept, m])
    }
}

impl UpdateRule<2> for Centered {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, slots: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let (direction, slots) = self.direction(s, p, g, slots);
        (self.0.params(s, p, direction), slots)
    }
}

/// With momentum.
impl UpdateRule<3> for Centered {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [v, m, b]: [S::F; 3]) -> (S::F, [S::F; 3]) {
        let (direction, [v, m]) = self.direction(s, p, g, [v, m]);
        let b = self.0.velocity(s, b, direction);
        (self.0.params(s, p, b), [v, m, b])
    }
}
