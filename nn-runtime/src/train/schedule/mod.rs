//! How the learning rate changes while training. In: the optimiser's own rate and how many steps it has
//! taken; out: the rate of the next one. Steps are the optimiser's, not epochs. A schedule never changes the
//! optimiser's own rate.

mod cycle;
mod decay;
// It hears the losses of epochs, which a loop of `fit` has.
#[cfg(feature = "alloc")]
mod plateau;
mod warmup;

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
#[cfg(feature = "alloc")]
use alloc::vec::Vec;

use crate::text::{String, format};

pub use cycle::{Cosine, OneCycle};
pub use decay::{ConstantRate, Exponential, Polynomial, StepDecay};
#[cfg(feature = "alloc")]
pub use plateau::ReduceOnPlateau;
pub use warmup::Warmup;

/// A learning rate that changes with the steps.
///
/// It counts the optimiser's steps, as Keras's schedules do. PyTorch's count calls of `scheduler.step()`,
/// which is often once an epoch: multiply by the steps of an epoch there.
///
/// ```
/// use nn_runtime::train::schedule::Schedule;
/// use nn_runtime::prelude::*;
///
/// /// The rate of "Attention Is All You Need", as a share of the highest.
/// #[derive(Clone)]
/// struct Noam {
///     rise: f64,
/// }
///
/// impl Schedule for Noam {
///     fn rate(&self, base: f64, done: u64) -> f64 {
///         let step = done as f64 + 1.0;
///         base * (step / self.rise).min((self.rise / step).sqrt())
///     }
/// }
///
/// network! { struct Line: [1] -> [1] { Dense(1) } }
/// let mut model = Line::init(0);
/// let trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-3)).schedule(Noam { rise: 100.0 });
/// assert_eq!(trainer.learning_rate(), 1e-5);
/// ```
#[diagnostic::on_unimplemented(
    message = "expected a schedule, found `{Self}`",
    label = "this is none",
    note = "one of `ConstantRate`, `StepDecay`, `Exponential`, `Polynomial`, `Cosine`, `Warmup`, `OneCycle`, `ReduceOnPlateau`, or a type of one's own that implements `Schedule`"
)]
pub trait Schedule: Copied + Send + Sync {
    /// The rate of the next step, after `done` steps; `base` is the optimiser's own.
    fn rate(&self, base: f64, done: u64) -> f64;

    /// The momentum of the next step, where it changes with the steps too: of `Sgd` its momentum, of `Adam`
    /// and its like the first beta.
    fn momentum_at(&self, done: u64) -> Option<f64> {
        let _ = done;
        None
    }

    /// The number of an epoch that it wants to hear instead of the loss: a metric, `val_loss` or `loss`, as
    /// [`Fit::monitor`](crate::train::Fit::monitor) names them.
    fn monitors(&self) -> Option<&str> {
        None
    }

    /// Hears the loss of an epoch of `fit`: of the validation samples where there are some, else of the
    /// training samples. It is never infinite or NaN, which ends `fit` before; it may be below 0. Validation
    /// samples without any weight have no loss: the training loss is heard. Of a number that it
    /// [monitors](Schedule::monitors) and that is better where it is larger, it hears the negative.
    fn epoch(&mut self, loss: f64) {
        let _ = loss;
    }

    /// All settings in words, by which a checkpoint tells one schedule from another: a run goes on with the
    /// same alone. Without more it is the type.
    fn settings(&self) -> String {
        let name = core::any::type_name::<Self>();
        name.rsplit("::").next().unwrap_or(name).into()
    }

    /// What it remembers of the losses it has heard, for a checkpoint; a schedule that hears none remembers
    /// nothing.
    #[cfg(feature = "alloc")]
    fn state(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Takes what [`state`](Schedule::state) of the same settings has given, bit for bit; false where it
    /// cannot be, and nothing has changed then.
    #[cfg(feature = "alloc")]
    fn set_state(&mut self, state: &[f64]) -> bool {
        state.is_empty()
    }

    /// What is wrong with the settings, if anything. Asked before training.
    ///
    /// # Errors
    /// A setting is out of its range: *expected, found*, and what to type.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// What can be copied as the trainer keeps it; every schedule that is `Clone` can. Where nothing allocates,
/// nothing is copied.
pub trait Copied {
    /// A copy, with its state.
    #[cfg(feature = "alloc")]
    #[doc(hidden)]
    fn copied(&self) -> Box<dyn Schedule>;
}

#[cfg(feature = "alloc")]
impl<S: Schedule + Clone + 'static> Copied for S {
    fn copied(&self) -> Box<dyn Schedule> {
        Box::new(self.clone())
    }
}

#[cfg(not(feature = "alloc"))]
impl<S> Copied for S {}

/// All fields are settings.
macro_rules! settings_are_fields {
    () => {
        fn settings(&self) -> crate::text::String {
            crate::text::format!("{self:?}")
        }
    };
}
use settings_are_fields;

/// A number of steps.
fn some_steps(of: &str, what: &str, steps: u64) -> Result<(), String> {
    match steps {
        0 => Err(format!("`{of}`: expected {what} of at least 1, found 0\nhelp: count the steps of training")),
        _ => Ok(()),
    }
}

/// What a rate is multiplied by.
fn factor(of: &str, factor: f64) -> Result<(), String> {
    match factor > 0.0 && factor.is_finite() {
        true => Ok(()),
        false => Err(format!("`{of}`: expected a factor above 0, found {factor}\nhelp: 0.1 is usual")),
    }
}

/// A rate that is not gone below.
fn floor(of: &str, floor: f64) -> Result<(), String> {
    match floor >= 0.0 && floor.is_finite() {
        true => Ok(()),
        false => {
            Err(format!("`{of}`: expected a floor of at least 0, found {floor}\nhelp: give the lowest rate, as `1e-6`"))
        }
    }
}
