//! `Lamb`: Adam's direction, for every tensor in proportion to its own length, so that very large batches can be trained with.

use alloc::string::String;

use super::{Optimizer, ROOT_OF_LARGEST, Whole, not_a_stretch, not_negative, over_eps, share, states};
use nn_kernels::simd::Isa;
use nn_kernels::update::LambStep;

/// Lamb: `m = β₁ · m + (1 - β₁) · g`, `v = β₂ · v + (1 - β₂) · g²`,
/// `u = (m / (1 - β₁^step)) / (√(v / (1 - β₂^step)) + eps) + weight_decay · p`, and for each tensor
/// `p -= rate · ‖p‖ / ‖u‖ · u`; where either norm is 0, without the ratio.
///
/// | argument | here | PyTorch | Keras's `Lamb` |
/// |---|---|---|---|
/// | `rate` | must be given | has no Lamb | `learning_rate=0.001` |
/// | `betas` | `0.9, 0.999` | – | `beta_1=0.9, beta_2=0.999` |
/// | `eps` | `1e-6`, as in the paper | – | `epsilon=1e-7` |
/// | `weight_decay` (within the ratio) | `0.01` | – | none; its `weight_decay` is decoupled |
///
/// Biases and scales are stepped like weights. The gradients are not clipped: [`Clip::GlobalNorm`](crate::train::Clip) does it.
/// You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", 2020, algorithm 2.
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
    rate: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
}

impl Lamb {
    /// With this learning rate: the share of a tensor's length that a step goes.
    pub const fn new(rate: f64) -> Self {
        Lamb { rate, betas: (0.9, 0.999), eps: 1e-6, weight_decay: 0.01 }
    }

    /// What is left of the mean gradient and of the mean square from step to step: from 0 up to but without 1.
    pub const fn betas(mut self, first: f64, second: f64) -> Self {
        self.betas = (first, second);
        self
    }

    /// What is added to the root, so that nothing is divided by 0.
    pub const fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// What of each parameter is added to its direction.
    pub const fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

impl Optimizer for Lamb {
    fn states(&self) -> usize {
        2
    }

    fn whole(&self) -> bool {
        true
    }

    fn update(&self, _: Isa, _: u64, _: &mut [f32], _: &[f32], _: &mut [&mut [f32]]) {
        not_a_stretch()
    }

    fn update_tensor(&self, isa: Isa, step: u64, tensor: Whole, state: &mut [&mut [f32]]) {
        let [mean, square] = states(state);
        let step = LambStep::new(step, self.rate, self.betas.0, self.betas.1, self.eps, self.weight_decay);
        step.update(isa, tensor.params, tensor.grads, mean, square);
    }

    fn rate(&self) -> f64 {
        self.rate
    }

    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    // A step is as long as the tensor times the rate, or as Adam's where the tensor is 0.
    fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
        let adam = over_eps(grad / (1.0 - self.betas.0), self.eps);
        Some(self.rate * (ROOT_OF_LARGEST * param + adam + self.weight_decay * param))
    }

    fn check(&self) -> Result<(), String> {
        not_negative("a rate", self.rate)?;
        not_negative("an eps", self.eps)?;
        not_negative("a weight decay", self.weight_decay)?;
        share("a first beta", self.betas.0, 0.9)?;
        share("a second beta", self.betas.1, 0.999)
    }
}
