//! `Adam`: momentum, divided by the root of the recent mean square. `AdamW`, `Lamb` and `Nadam` build on its
//! moments.

use crate::text::String;

use super::settings::{betas_below_one, learning_rate, momentum_setting, none_negative, settings};
use super::{Optimizer, array_of_slots, over_eps, powi, slot_names};
use nn_kernels::math::scalar;
use nn_kernels::optimizer::{
    SQUARE_SCALE, Square, UpdateRule, div_by_sqrt, flush_denormals, flush_square, limit_grad, update,
};
use nn_kernels::simd::{Isa, Simd};

/// Adam: `g += weight_decay · p`, `m = β₁ · m + (1 - β₁) · g`, `v = β₂ · v + (1 - β₂) · g²`,
/// `p -= learning_rate · (m / (1 - β₁^step)) / (√(v / (1 - β₂^step)) + eps)`; with `amsgrad` the largest `v`
/// so far stands in the place of `v`.
///
/// | argument | here | PyTorch's `Adam` | Keras's `Adam` |
/// |---|---|---|---|
/// | `learning_rate` | must be given | `lr=1e-3` | `learning_rate=0.001` |
/// | `betas` | `0.9, 0.999` | `betas=(0.9, 0.999)` | `beta_1=0.9, beta_2=0.999` |
/// | `eps` | `1e-8` | `eps=1e-8` | `epsilon=1e-7` |
/// | `weight_decay` (L2) | `0.0` | `weight_decay=0` | none; its `weight_decay` is decoupled |
/// | `amsgrad` | `false` | `amsgrad=False` | `amsgrad=False` |
///
/// Right for gradients from 1e-18 to 1e18, with any `eps`; larger ones count as 1.15e18 (PyTorch takes no
/// step where the square is infinite). The second slot is `v` times 64, and so is the third. Kingma & Ba,
/// "Adam: A Method for Stochastic Optimization", 2015; Reddi, Kale & Kumar, "On the Convergence of Adam and
/// Beyond", 2018.
///
/// ```
/// use nn_runtime::Isa;
/// use nn_runtime::optim::{Adam, Optimizer};
///
/// let (mut params, mut mean, mut square) = ([1.0], [0.0], [0.0]);
/// Adam::new(0.25).update(Isa::detect(), 1, &mut params, &[1000.0], &mut [&mut mean, &mut square]);
/// assert!((params[0] - 0.75).abs() < 1e-6); // the first step is the learning rate, whatever the gradient
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Adam {
    learning_rate: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    amsgrad: bool,
}

settings!(Adam: betas, eps, weight_decay, amsgrad);

impl Adam {
    /// With this learning rate.
    pub const fn new(learning_rate: f64) -> Self {
        Adam { learning_rate, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0, amsgrad: false }
    }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Adam {
    learning_rate!();
    momentum_setting!(betas);
    slot_names!("exp_avg", "exp_avg_sq", "max_exp_avg_sq");

    fn slots(&self) -> usize {
        2 + usize::from(self.amsgrad)
    }

    // So that what a program's settings rule out is not in it.
    #[cfg_attr(feature = "small", inline(always))]
    fn update(&self, isa: Isa, step: u64, params: &mut [f32], grads: &[f32], slots: &mut [&mut [f32]]) {
        let moments = Moments::new(step, self.betas, self.eps);
        let step_size = (self.learning_rate / moments.mean_bias) as f32;
        let decay = self.weight_decay as f32;
        if self.weight_decay == 0.0 {
            AdamStep::<{ decay::NONE }> { moments, step_size, decay }.update(isa, params, grads, slots);
        } else {
            AdamStep::<{ decay::PENALTY }> { moments, step_size, decay }.update(isa, params, grads, slots);
        }
    }

    fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
        let mean = (grad + self.weight_decay * param) / (1.0 - self.betas.0);
        Some(self.learning_rate * over_eps(mean, self.eps))
    }

    fn check(&self) -> Result<(), String> {
        none_negative(&[
            ("a learning rate", self.learning_rate),
            ("an eps", self.eps),
            ("a weight decay", self.weight_decay),
        ])?;
        betas_below_one(self.betas, (0.9, 0.999))
    }
}

/// The mean gradient `m` and the mean square `v` of one step, and what their bias is corrected by.
#[derive(Clone, Copy)]
pub(super) struct Moments {
    /// 1 - β₁^step: what of the mean gradient is there.
    pub(super) mean_bias: f64,
    one_minus_beta1: f32,
    beta2: f32,
    /// 1 - β₂, times the scale of squares.
    one_minus_beta2: f32,
    /// 1 / √(1 - β₂^step), over the root of the scale of squares.
    root_scale: f32,
    eps: f32,
}

impl Moments {
    /// Of step number `step`, which counts from 1.
    ///
    /// # Panics
    /// `step == 0`
    #[track_caller]
    pub(super) fn new(step: u64, (beta1, beta2): (f64, f64), eps: f64) -> Self {
        assert!(step > 0, "expected a step from 1 on, found 0");
        Moments {
            mean_bias: 1.0 - powi(beta1, step),
            one_minus_beta1: (1.0 - beta1) as f32,
            beta2: beta2 as f32,
            one_minus_beta2: SQUARE_SCALE * (1.0 - beta2) as f32,
            root_scale: scalar::sqrt((1.0 / (1.0 - powi(beta2, step))) as f32 / SQUARE_SCALE),
            eps: eps as f32,
        }
    }

    /// The new moments: `m + (1 - β₁) · (g - m)` and `β₂ · v + (1 - β₂) · g²`, the latter times the scale of
    /// squares. Beyond ±2^60 a gradient counts as ±2^60.
    #[inline(always)]
    pub(super) fn next<S: Simd>(self, s: S, g: S::F, [m, v]: [S::F; 2]) -> (S::F, Square<S::F>) {
        let g = limit_grad(s, g);
        let m = flush_denormals(s, s.fma(s.splat(self.one_minus_beta1), s.sub(g, m), m));
        let square = s.mul(s.mul(g, s.splat(self.one_minus_beta2)), g);
        (m, flush_square(s, s.fma(s.splat(self.beta2), v, square)))
    }

    /// `a / (√(v / (1 - β₂^step)) + eps)`.
    #[inline(always)]
    pub(super) fn div_by_root<S: Simd>(self, s: S, a: S::F, v: Square<S::F>) -> S::F {
        div_by_sqrt(s, a, v, self.root_scale, self.eps)
    }
}

/// Which weight decay a step has: what it has not it does not compute.
pub(super) mod decay {
    pub(crate) const NONE: u8 = 0;
    /// `g += weight_decay · p`: an L2 penalty.
    pub(crate) const PENALTY: u8 = 1;
    /// `p *= 1 - learning_rate · weight_decay`.
    pub(crate) const DECOUPLED: u8 = 2;
}

/// A step of Adam, with a kind of weight decay.
#[derive(Clone, Copy)]
pub(super) struct AdamStep<const DECAY: u8> {
    pub(super) moments: Moments,
    /// learning_rate / (1 - β₁^step).
    pub(super) step_size: f32,
    /// What of each parameter goes into its gradient, or what is left of each, whichever the decay wants.
    pub(super) decay: f32,
}

impl<const DECAY: u8> AdamStep<DECAY> {
    /// The step itself, or with three slots that of AMSGrad.
    #[cfg_attr(feature = "small", inline(always))]
    pub(super) fn update(self, isa: Isa, params: &mut [f32], grads: &[f32], slots: &mut [&mut [f32]]) {
        match slots.len() {
            3 => update::<_, 3>(isa, self, params, grads, array_of_slots(slots)),
            _ => update::<_, 2>(isa, self, params, grads, array_of_slots(slots)),
        }
    }

    /// The new moments, of a gradient with its penalty.
    #[inline(always)]
    fn moments<S: Simd>(self, s: S, p: S::F, g: S::F, slots: [S::F; 2]) -> (S::F, Square<S::F>) {
        let g = if DECAY == decay::PENALTY { s.fma(s.splat(self.decay), p, g) } else { g };
        self.moments.next(s, g, slots)
    }

    /// The new parameters, from the mean gradient and the square whose root it is divided by.
    #[inline(always)]
    fn params<S: Simd>(self, s: S, p: S::F, m: S::F, v: Square<S::F>) -> S::F {
        let direction = self.moments.div_by_root(s, m, v);
        let p = if DECAY == decay::DECOUPLED { s.mul(p, s.splat(self.decay)) } else { p };
        s.fma(s.splat(-self.step_size), direction, p)
    }
}

impl<const DECAY: u8> UpdateRule<2> for AdamStep<DECAY> {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, slots: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let (m, v) = self.moments(s, p, g, slots);
        (self.params(s, p, m, v), [m, v.kept])
    }
}

/// AMSGrad.
impl<const DECAY: u8> UpdateRule<3> for AdamStep<DECAY> {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [m, v, largest]: [S::F; 3]) -> (S::F, [S::F; 3]) {
        let (m, v) = self.moments(s, p, g, [m, v]);
        // The new one stands second: where it is NaN, it is what is left.
        let largest = flush_square(s, s.max(largest, v.kept));
        (self.params(s, p, m, largest), [m, v.kept, largest.kept])
    }
}
