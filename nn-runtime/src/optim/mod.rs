//! Optimisers: how parameters follow their gradients.
//!
//! Each takes a learning rate and has its other settings as methods, with PyTorch's names and defaults:
//! `Adam::new(1e-3).betas(0.9, 0.99)`. One of your own implements [`Optimizer`].

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod lamb;
mod lion;
mod muon;
mod nadam;
mod newton_schulz;
mod radam;
mod rmsprop;
mod schedule_free;
mod settings;
mod sgd;
mod tensor;
#[cfg(test)]
mod tests;

use crate::text::String;

use nn_kernels::simd::Isa;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use adamw::AdamW;
pub use lamb::Lamb;
pub use lion::Lion;
pub use muon::Muon;
pub use nadam::Nadam;
pub use radam::RAdam;
pub use rmsprop::RmsProp;
pub use schedule_free::ScheduleFree;
pub use sgd::Sgd;
pub use tensor::{TensorLayout, TensorUpdate};

/// A rule that changes parameters by their gradients.
///
/// ```
/// use nn_runtime::Isa;
/// use nn_runtime::optim::{Optimizer, Sgd};
///
/// /// The direction of each gradient, whatever its size.
/// struct Sign(f64);
///
/// impl Optimizer for Sign {
///     fn slots(&self) -> usize {
///         0
///     }
///     fn update(&self, _: Isa, _: u64, params: &mut [f32], grads: &[f32], _: &mut [&mut [f32]]) {
///         params.iter_mut().zip(grads).for_each(|(p, g)| *p -= self.0 as f32 * g.signum());
///     }
///     fn learning_rate(&self) -> f64 {
///         self.0
///     }
///     fn set_learning_rate(&mut self, learning_rate: f64) {
///         self.0 = learning_rate;
///     }
/// }
///
/// let mut params = [1.0];
/// Sign(0.5).update(Isa::detect(), 1, &mut params, &[-8.0], &mut []);
/// Sgd::new(0.25).update(Isa::detect(), 1, &mut params, &[2.0], &mut []);
/// assert_eq!(params, [1.0]);
/// ```
#[diagnostic::on_unimplemented(
    message = "expected an optimiser, found `{Self}`",
    label = "this is none",
    note = "it stands behind the loss: `Trainer::new(&mut model, Mse::new(), Adam::new(1e-3))`"
)]
pub trait Optimizer: Sync {
    /// How many numbers (slots) it keeps for each parameter from step to step.
    fn slots(&self) -> usize;

    /// What the `k`-th slot begins with.
    fn initial_slot(&self, k: usize) -> f32 {
        let _ = k;
        0.0
    }

    /// What the `k`-th slot is called in a checkpoint, PyTorch's name where there is one: `exp_avg`.
    fn slot_name(&self, k: usize) -> String {
        crate::text::format!("slot_{k}")
    }

    /// All settings in words, by which a checkpoint tells one optimiser from another: a run goes on with the
    /// same alone. Without more it is the type and the learning rate.
    fn settings(&self) -> String {
        let name = core::any::type_name::<Self>();
        crate::text::format!(
            "{} {{ learning_rate: {:?} }}",
            name.rsplit("::").next().unwrap_or(name),
            self.learning_rate()
        )
    }

    /// Whether it must see whole tensors, because what it does to a number depends on the others.
    fn per_tensor(&self) -> bool {
        false
    }

    /// How many numbers [`update_tensor`](Optimizer::update_tensor) needs as scratch memory.
    fn scratch(&self, layout: &TensorLayout) -> usize {
        let _ = layout;
        0
    }

    /// Changes a range of the parameters; `step` is 1 for the first. All slices have one length, and there
    /// are [`slots`](Optimizer::slots) of them in `slots`. A range cut in two gives the same bits. Where
    /// [`per_tensor`](Optimizer::per_tensor) no training calls it.
    ///
    /// # Panics
    /// The lengths disagree, there are too few slots, or `step == 0`; always, where `per_tensor`.
    fn update(&self, isa: Isa, step: u64, params: &mut [f32], grads: &[f32], slots: &mut [&mut [f32]]);

    /// Changes a whole tensor. It is called instead of [`update`](Optimizer::update) where
    /// [`per_tensor`](Optimizer::per_tensor).
    ///
    /// # Panics
    /// As `update`; there is less scratch than was asked for.
    fn update_tensor(&self, isa: Isa, step: u64, tensor: TensorUpdate, slots: &mut [&mut [f32]]) {
        self.update(isa, step, tensor.params, tensor.grads, slots);
    }

    /// Turns parameters from where steps leave them to what a model is to be used with, where that is another
    /// place, by what is remembered of them.
    fn settle(&self, params: &mut [f32], slots: &[&[f32]]) {
        let _ = (params, slots);
    }

    /// The learning rate.
    fn learning_rate(&self) -> f64;

    /// Changes the learning rate, as a schedule does between steps.
    fn set_learning_rate(&mut self, learning_rate: f64);

    /// What a step keeps of those before it, where a schedule may change that: of `Sgd` its momentum, of
    /// `Adam` and its like the first beta.
    fn momentum_setting(&self) -> Option<f64> {
        None
    }

    /// Changes it, as a schedule does between steps. Where there is no
    /// [`momentum_setting`](Optimizer::momentum_setting) nothing calls it.
    fn set_momentum(&mut self, momentum: f64) {
        let _ = momentum;
    }

    /// What no step changes a parameter by more than, with the learning rate that is set, where no gradient
    /// since the first step has been larger than `grad` and no parameter is larger than `param`. A bound far
    /// above what happens is good enough.
    ///
    /// A trainer refuses steps that make a parameter infinite or NaN. With a limit it knows beforehand that a
    /// step does not; without one it copies all before each step and looks at all after it.
    fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
        let _ = (grad, param);
        None
    }

    /// What is wrong with the settings, if anything. Asked before training.
    ///
    /// # Errors
    /// A setting is out of its range: *expected, found*, and what to type.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// The names of slots, in their order.
macro_rules! slot_names {
    ($($name:literal),+) => {
        fn slot_name(&self, k: usize) -> crate::text::String {
            [$($name),+][k].into()
        }
    };
}
use slot_names;

/// The slots as an array.
#[track_caller]
fn array_of_slots<'a, const K: usize>(slots: &'a mut [&mut [f32]]) -> [&'a mut [f32]; K] {
    assert_eq!(slots.len(), K, "expected as many slots as the optimiser asked for");
    let mut all = slots.iter_mut();
    core::array::from_fn(|_| match all.next() {
        Some(slot) => &mut **slot,
        None => unreachable!("the count was just compared"),
    })
}

/// What a number becomes at most when it is divided by a root plus `eps`.
fn over_eps(x: f64, eps: f64) -> f64 {
    // As the kernels see it.
    x / f64::from(eps as f32)
}

/// The root of more numbers than any tensor has.
const ROOT_OF_LARGEST: f64 = 1e6;

/// For `update` of an optimiser that sees whole tensors.
#[track_caller]
fn wants_whole_tensor() -> ! {
    panic!("expected a whole tensor, found a range of parameters: call `update_tensor`")
}

/// base^exponent, by squaring: a few multiplications, where `libm::pow` would take longer than the step of a
/// small network.
fn powi(mut base: f64, mut exponent: u64) -> f64 {
    let mut product = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            product *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    product
}
