//! `Adam` and `AdamW`: momentum, divided by the root of the recent mean square. The two differ in what weight decay means.

use alloc::string::String;

use super::{Optimizer, not_negative, over_eps, share, states};
use nn_kernels::simd::Isa;
use nn_kernels::update::AdamStep;

/// One optimiser of the family.
macro_rules! adam {
    ($(#[doc = $doc:literal])+ $name:ident, weight_decay: $weight_decay:literal, decoupled: $decoupled:literal) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, PartialEq, Debug)]
        pub struct $name {
            rate: f64,
            betas: (f64, f64),
            eps: f64,
            weight_decay: f64,
        }

        impl $name {
            /// With this learning rate.
            pub const fn new(rate: f64) -> Self {
                $name { rate, betas: (0.9, 0.999), eps: 1e-8, weight_decay: $weight_decay }
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

            /// How strongly parameters are drawn to 0.
            pub const fn weight_decay(mut self, weight_decay: f64) -> Self {
                self.weight_decay = weight_decay;
                self
            }
        }

        impl Optimizer for $name {
            fn states(&self) -> usize {
                2
            }

            fn update(&self, isa: Isa, step: u64, params: &mut [f32], grads: &[f32], state: &mut [&mut [f32]]) {
                let [mean, square] = states(state);
                let (first, second) = self.betas;
                let step = AdamStep::new(step, self.rate, first, second, self.eps, self.weight_decay, $decoupled);
                step.update(isa, params, grads, mean, square);
            }

            fn rate(&self) -> f64 {
                self.rate
            }

            fn set_rate(&mut self, rate: f64) {
                self.rate = rate;
            }

            fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
                let decay = self.weight_decay * param;
                let mean = (grad + if $decoupled { 0.0 } else { decay }) / (1.0 - self.betas.0);
                Some(self.rate * (over_eps(mean, self.eps) + decay))
            }

            fn check(&self) -> Result<(), String> {
                not_negative("a rate", self.rate)?;
                not_negative("an eps", self.eps)?;
                not_negative("a weight decay", self.weight_decay)?;
                share("a first beta", self.betas.0, 0.9)?;
                share("a second beta", self.betas.1, 0.999)
            }
        }
    };
}

adam! {
    /// Adam: `g += weight_decay · p`, `m = β₁ · m + (1 - β₁) · g`, `v = β₂ · v + (1 - β₂) · g²`,
    /// `p -= rate · (m / (1 - β₁^step)) / (√(v / (1 - β₂^step)) + eps)`.
    ///
    /// | argument | here | PyTorch's `Adam` | Keras's `Adam` |
    /// |---|---|---|---|
    /// | `rate` | must be given | `lr=1e-3` | `learning_rate=0.001` |
    /// | `betas` | `0.9, 0.999` | `betas=(0.9, 0.999)` | `beta_1=0.9, beta_2=0.999` |
    /// | `eps` | `1e-8` | `eps=1e-8` | `epsilon=1e-7` |
    /// | `weight_decay` (L2) | `0.0` | `weight_decay=0` | none; its `weight_decay` is decoupled |
    ///
    /// Kingma & Ba, "Adam: A Method for Stochastic Optimization", 2015.
    ///
    /// ```
    /// use nn_runtime::Isa;
    /// use nn_runtime::optim::{Adam, Optimizer};
    ///
    /// let (mut params, mut mean, mut square) = ([1.0], [0.0], [0.0]);
    /// Adam::new(0.25).update(Isa::detect(), 1, &mut params, &[1000.0], &mut [&mut mean, &mut square]);
    /// assert!((params[0] - 0.75).abs() < 1e-6); // the first step is the rate, whatever the gradient
    /// ```
    Adam, weight_decay: 0.0, decoupled: false
}

adam! {
    /// Adam with decoupled weight decay: `p *= 1 - rate · weight_decay`, and then [`Adam`]'s step without it.
    ///
    /// | argument | here | PyTorch's `AdamW` | Keras's `AdamW` |
    /// |---|---|---|---|
    /// | `rate` | must be given | `lr=1e-3` | `learning_rate=0.001` |
    /// | `betas` | `0.9, 0.999` | `betas=(0.9, 0.999)` | `beta_1=0.9, beta_2=0.999` |
    /// | `eps` | `1e-8` | `eps=1e-8` | `epsilon=1e-7` |
    /// | `weight_decay` | `0.01` | `weight_decay=0.01` | `weight_decay=0.004` |
    ///
    /// Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019.
    ///
    /// ```
    /// use nn_runtime::Isa;
    /// use nn_runtime::optim::{AdamW, Optimizer};
    ///
    /// let (mut params, mut mean, mut square) = ([1.0], [0.0], [0.0]);
    /// let adam = AdamW::new(0.5).weight_decay(0.25);
    /// adam.update(Isa::detect(), 1, &mut params, &[0.0], &mut [&mut mean, &mut square]);
    /// assert_eq!(params, [0.875]);
    /// ```
    AdamW, weight_decay: 0.01, decoupled: true
}
