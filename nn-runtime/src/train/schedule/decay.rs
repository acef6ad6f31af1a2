//! Rates that stay or fall: `ConstantRate`, `StepDecay`, `Exponential`, `Polynomial`. In: the optimiser's
//! rate and the steps done; out: the next rate.

use crate::text::{String, format};

use super::{Schedule, factor, floor, settings_are_fields, some_steps};

/// `rate = base`, always: what a [`Trainer`](crate::train::Trainer) without a schedule uses, as PyTorch and
/// Keras do.
///
/// ```
/// use nn_runtime::train::schedule::{ConstantRate, Schedule};
/// assert_eq!(ConstantRate.rate(0.1, 1000), 0.1);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ConstantRate;

#[diagnostic::do_not_recommend]
impl Schedule for ConstantRate {
    settings_are_fields!();

    fn rate(&self, base: f64, _: u64) -> f64 {
        base
    }
}

/// `base · factor^⌊done / every⌋`.
///
/// | argument | here | PyTorch's `StepLR` | Keras's `ExponentialDecay` with `staircase=True` |
/// |---|---|---|---|
/// | `every` | must be given, in steps | `step_size`, must be given | `decay_steps`, must be given |
/// | `factor` | must be given | `gamma=0.1` | `decay_rate`, must be given |
///
/// ```
/// use nn_runtime::train::schedule::{Schedule, StepDecay};
///
/// let schedule = StepDecay::new(100, 0.5);
/// assert_eq!([0, 99, 100, 200].map(|done| schedule.rate(0.8, done)), [0.8, 0.8, 0.4, 0.2]);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StepDecay {
    every: u64,
    factor: f64,
}

impl StepDecay {
    /// Multiplies the rate by `factor` after every so many steps.
    pub const fn new(every: u64, factor: f64) -> Self {
        StepDecay { every, factor }
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for StepDecay {
    settings_are_fields!();

    fn rate(&self, base: f64, done: u64) -> f64 {
        base * libm::pow(self.factor, (done / self.every.max(1)) as f64)
    }

    fn check(&self) -> Result<(), String> {
        some_steps("StepDecay", "steps", self.every)?;
        factor("StepDecay", self.factor)
    }
}

/// `base · factor^(done / every)`: the rate falls by `factor` in so many steps, a little at each of them.
///
/// | argument | here | PyTorch's `ExponentialLR` | Keras's `ExponentialDecay` |
/// |---|---|---|---|
/// | `factor` | must be given | `gamma`, must be given | `decay_rate`, must be given |
/// | `every` | `1` | always 1 | `decay_steps`, must be given |
///
/// ```
/// use nn_runtime::train::schedule::{Exponential, Schedule};
///
/// let schedule = Exponential::new(0.25).every(100);
/// assert_eq!([0, 50, 100].map(|done| schedule.rate(0.8, done)), [0.8, 0.4, 0.2]);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Exponential {
    factor: f64,
    every: u64,
}

impl Exponential {
    /// Multiplies the rate by `factor` at every step.
    pub const fn new(factor: f64) -> Self {
        Exponential { factor, every: 1 }
    }

    /// In how many steps the rate falls by the factor.
    pub const fn every(mut self, every: u64) -> Self {
        self.every = every;
        self
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for Exponential {
    settings_are_fields!();

    fn rate(&self, base: f64, done: u64) -> f64 {
        base * libm::pow(self.factor, done as f64 / self.every as f64)
    }

    fn check(&self) -> Result<(), String> {
        some_steps("Exponential", "steps", self.every)?;
        factor("Exponential", self.factor)
    }
}

/// `floor + (base - floor) · (1 - done / steps)^power`, and `floor` from `steps` on.
///
/// | argument | here | PyTorch's `PolynomialLR` | Keras's `PolynomialDecay` |
/// |---|---|---|---|
/// | `steps` | must be given | `total_iters=5` | `decay_steps`, must be given |
/// | `power` | `1.0`, a straight line | `power=1.0` | `power=1.0` |
/// | `floor` | `0.0` | always 0 | `end_learning_rate=0.0001` |
///
/// ```
/// use nn_runtime::train::schedule::{Polynomial, Schedule};
///
/// let schedule = Polynomial::new(100).power(2.0);
/// assert_eq!([0, 50, 100, 150].map(|done| schedule.rate(0.8, done)), [0.8, 0.2, 0.0, 0.0]);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Polynomial {
    steps: u64,
    power: f64,
    floor: f64,
}

impl Polynomial {
    /// Down in so many steps.
    pub const fn new(steps: u64) -> Self {
        Polynomial { steps, power: 1.0, floor: 0.0 }
    }

    /// 1 is a straight line; above it the rate falls faster at first.
    pub const fn power(mut self, power: f64) -> Self {
        self.power = power;
        self
    }

    /// The rate at the end; no floor raises a rate that is lower.
    pub const fn floor(mut self, floor: f64) -> Self {
        self.floor = floor;
        self
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for Polynomial {
    settings_are_fields!();

    fn rate(&self, base: f64, done: u64) -> f64 {
        let left = 1.0 - done.min(self.steps) as f64 / self.steps as f64;
        // A floor above the rate is no reason to raise it.
        let floor = self.floor.min(base);
        floor + (base - floor) * libm::pow(left, self.power)
    }

    fn check(&self) -> Result<(), String> {
        some_steps("Polynomial", "steps", self.steps)?;
        floor("Polynomial", self.floor)?;
        match self.power > 0.0 && self.power.is_finite() {
            true => Ok(()),
            false => {
                Err(format!("`Polynomial`: expected a power above 0, found {}\nhelp: 1 is a straight line", self.power))
            }
        }
    }
}
