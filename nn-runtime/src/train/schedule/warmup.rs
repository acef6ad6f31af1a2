//! `Warmup`: a straight rise, and then another schedule. In: the optimiser's rate and the steps done; out:
//! the next rate.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

use crate::text::{String, format};

use super::{ConstantRate, Schedule, some_steps};

/// From `start · base` in a straight line to `base` in so many steps, and then another schedule, from its own
/// beginning.
///
/// | argument | here | PyTorch's `LinearLR` | Keras |
/// |---|---|---|---|
/// | `steps` | must be given | `total_iters=5` | `CosineDecay`'s `warmup_steps` |
/// | `start` | `1/3` | `start_factor=1/3` | `CosineDecay`'s `initial_learning_rate` |
/// | `then` | the rate stays | `SequentialLR` | the cosine |
///
/// Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017.
///
/// ```
/// use nn_runtime::train::schedule::{Cosine, Schedule, Warmup};
///
/// let schedule = Warmup::new(100).start(0.0).then(Cosine::new(1000));
/// assert_eq!([0, 50, 100, 600].map(|done| schedule.rate(0.8, done)), [0.0, 0.4, 0.8, 0.4]);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Warmup<S = ConstantRate> {
    steps: u64,
    start: f64,
    then: S,
}

impl Warmup {
    /// A rise of so many steps, after which the rate stays.
    pub const fn new(steps: u64) -> Self {
        Warmup { steps, start: 1.0 / 3.0, then: ConstantRate }
    }
}

impl<S> Warmup<S> {
    /// The share of the rate that the first step has.
    pub fn start(mut self, start: f64) -> Self {
        self.start = start;
        self
    }

    /// What follows.
    pub fn then<T>(self, then: T) -> Warmup<T> {
        Warmup { steps: self.steps, start: self.start, then }
    }
}

#[diagnostic::do_not_recommend]
impl<S: Schedule + Clone + 'static> Schedule for Warmup<S> {
    fn rate(&self, base: f64, done: u64) -> f64 {
        match done.checked_sub(self.steps) {
            Some(done) => self.then.rate(base, done),
            None => base * (self.start + (1.0 - self.start) * (done as f64 / self.steps as f64)),
        }
    }

    fn epoch(&mut self, loss: f64) {
        self.then.epoch(loss);
    }

    fn momentum_at(&self, done: u64) -> Option<f64> {
        self.then.momentum_at(done.saturating_sub(self.steps))
    }

    fn monitors(&self) -> Option<&str> {
        self.then.monitors()
    }

    fn settings(&self) -> String {
        format!("Warmup {{ steps: {}, start: {:?}, then: {} }}", self.steps, self.start, self.then.settings())
    }

    #[cfg(feature = "alloc")]
    fn state(&self) -> Vec<f64> {
        self.then.state()
    }

    #[cfg(feature = "alloc")]
    fn set_state(&mut self, state: &[f64]) -> bool {
        self.then.set_state(state)
    }

    fn check(&self) -> Result<(), String> {
        some_steps("Warmup", "steps", self.steps)?;
        match self.start >= 0.0 && self.start.is_finite() {
            true => self.then.check(),
            false => Err(format!(
                "`Warmup`: expected a start of at least 0, a share of the rate, found {}\nhelp: 0.1 begins at a tenth",
                self.start
            )),
        }
    }
}
