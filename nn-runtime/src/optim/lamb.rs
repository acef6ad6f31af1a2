//! `Lamb`: Adam's direction, for every tensor in proportion to its own length, so that very large batches can
//! be trained with.

use crate::text::String;

use super::adam::Moments;
use super::settings::{betas_below_one, learning_rate, momentum_setting, none_negative, settings};
use super::{Optimizer, ROOT_OF_LARGEST, TensorUpdate, array_of_slots, over_eps, slot_names, wants_whole_tensor};
use nn_kernels::optimizer::{UpdateRule, update};
use nn_kernels::reduce::sum_of_squares;
use nn_kernels::simd::{Isa, Simd};

/// Lamb: `m = β₁ · m + (1 - β₁) · g`, `v = β₂ · v + (1 - β₂) · g²`,
/// `u = (m / (1 - β₁^step)) / (√(v / (1 - β₂^step)) + eps) + weight_decay · p`, and for each tensor
/// `p -= learning_rate · ‖p‖ / ‖u‖ · u`; where either norm is 0, without the ratio.
///
/// | argument | here | PyTorch | Keras's `Lamb` |
/// |---|---|---|---|
/// | `learning_rate` | must be given | has no Lamb | `learning_rate=0.001` |
/// | `betas` | `0.9, 0.999` | – | `beta_1=0.9, beta_2=0.999` |
/// | `eps` | `1e-6`, as in the paper | – | `epsilon=1e-7` |
/// | `weight_decay` (within the ratio) | `0.01` | – | none; its `weight_decay` is decoupled |
///
/// Biases and scales are stepped like weights. The gradients are not clipped:
/// [`Clip::GlobalNorm`](crate::train::Clip) does it. You et al., "Large Batch Optimization for Deep Learning:
/// Training BERT in 76 minutes", 2020, algorithm 2.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! { struct Line: [1] -> [1] { line: Dense(1, init = Constant(2.0)) } }
///
/// let mut model = Line::init(0);
/// let data = Dataset::values(&[[1.0], [2.0]], &[[3.0], [5.0]]).unwrap();
/// Trainer::new(&mut model, Mse::new(), Lamb::new(0.25)).step(&data).unwrap();
/// assert_eq!(model.get("line.weight").unwrap(), [2.5]); // a quarter of its length
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Lamb {
    learning_rate: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
}

settings!(Lamb: betas, eps, weight_decay);

impl Lamb {
    /// With this learning rate: the share of a tensor's length that a step goes.
    pub const fn new(learning_rate: f64) -> Self {
        Lamb { learning_rate, betas: (0.9, 0.999), eps: 1e-6, weight_decay: 0.01 }
    }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Lamb {
    learning_rate!();
    momentum_setting!(betas);
    slot_names!("exp_avg", "exp_avg_sq");

    fn slots(&self) -> usize {
        2
    }

    fn per_tensor(&self) -> bool {
        true
    }

    fn update(&self, _: Isa, _: u64, _: &mut [f32], _: &[f32], _: &mut [&mut [f32]]) {
        wants_whole_tensor()
    }

    fn update_tensor(&self, isa: Isa, step: u64, tensor: TensorUpdate, slots: &mut [&mut [f32]]) {
        let TensorUpdate { params, grads, .. } = tensor;
        let moments = Moments::new(step, self.betas, self.eps);
        let mean_scale = (1.0 / moments.mean_bias) as f32;
        let rule = LambDirection { moments, mean_scale, weight_decay: self.weight_decay as f32 };
        // What the rule changes is the gradient, into the direction; the parameters are only read.
        update(isa, rule, grads, params, array_of_slots(slots));
        let (length, direction) = (sum_of_squares(isa, params), sum_of_squares(isa, grads));
        let ratio = if length > 0.0 && direction > 0.0 { libm::sqrt(length / direction) } else { 1.0 };
        isa.axpy(-(self.learning_rate * ratio) as f32, grads, params);
    }

    // A step is as long as the tensor times the learning rate, or as Adam's where the tensor is 0.
    fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
        let adam = over_eps(grad / (1.0 - self.betas.0), self.eps);
        Some(self.learning_rate * (ROOT_OF_LARGEST * param + adam + self.weight_decay * param))
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

/// `u` in place of the gradient. What the rule steps is the gradient, and what it reads beside it the
/// parameter.
#[derive(Clone, Copy)]
struct LambDirection {
    moments: Moments,
    mean_scale: f32,
    weight_decay: f32,
}

impl UpdateRule<2> for LambDirection {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, g: S::F, p: S::F, slots: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let (m, v) = self.moments.next(s, g, slots);
        let direction = s.mul(s.splat(self.mean_scale), self.moments.div_by_root(s, m, v));
        (s.fma(s.splat(self.weight_decay), p, direction), [m, v.kept])
    }
}
