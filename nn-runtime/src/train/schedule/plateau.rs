//! `ReduceOnPlateau`: the rate falls when the loss no longer does. In: the loss of each epoch; out: the rate
//! of the next steps.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Schedule, factor, floor};

/// Multiplies the rate by `factor` where more than `patience` epochs of [`fit`](crate::train::Trainer::fit)
/// have not made the loss better than the best so far by a share of `threshold`. It hears the validation loss
/// where `Fit::validate` is given, else the training loss; single steps tell it nothing.
///
/// | argument | here | PyTorch's `ReduceLROnPlateau` | Keras's `ReduceLROnPlateau` |
/// |---|---|---|---|
/// | `factor` | `0.1` | `factor=0.1` | `factor=0.1` |
/// | `patience` | `10` | `patience=10` | `patience=10`, reached, not exceeded |
/// | `threshold` | `1e-4` of the best | `threshold=1e-4` | `min_delta=0.0001` |
/// | `absolute`, whether the threshold is an amount and no share | `false` | `threshold_mode="rel"`, `"abs"` | always |
/// | `monitor` | `val_loss` where samples are validated, else `loss` | what `step` is given | `monitor="val_loss"` |
/// | larger is better | as the metric says | `mode="min"`, `"max"` | `mode="auto"` |
/// | `cooldown` | `0` | `cooldown=0` | `cooldown=0` |
/// | `floor` | `0.0` | `min_lr=0` | `min_lr=0.0` |
///
/// PyTorch leaves out a change below `eps=1e-8`, and takes `best · (1 - threshold)` for the margin, which is
/// above the best where that is below 0: then it never reduces.
///
/// ```
/// use nn_runtime::train::schedule::{ReduceOnPlateau, Schedule};
///
/// let mut schedule = ReduceOnPlateau::new().factor(0.5).patience(1);
/// for loss in [1.0, 1.0, 1.0] {
///     assert_eq!(schedule.rate(0.8, 0), 0.8);
///     schedule.epoch(loss);
/// }
/// assert_eq!(schedule.rate(0.8, 0), 0.4);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ReduceOnPlateau {
    factor: f64,
    patience: u64,
    threshold: f64,
    absolute: bool,
    monitor: Option<&'static str>,
    cooldown: u64,
    floor: f64,
    best: f64,
    /// Epochs without progress.
    bad: u64,
    /// Epochs left in which none counts as bad.
    cooling: u64,
    /// What the rate is multiplied by now.
    now: f64,
}

impl ReduceOnPlateau {
    /// With PyTorch's settings.
    pub const fn new() -> Self {
        ReduceOnPlateau {
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            absolute: false,
            monitor: None,
            cooldown: 0,
            floor: 0.0,
            best: f64::INFINITY,
            bad: 0,
            cooling: 0,
            now: 1.0,
        }
    }

    /// What the rate is multiplied by.
    pub const fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// How many epochs may pass without progress.
    pub const fn patience(mut self, patience: u64) -> Self {
        self.patience = patience;
        self
    }

    /// By which share of the best loss another one must be below it, to count as progress.
    pub const fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// Whether the threshold is how much, and not which share, a loss must be below the best.
    pub const fn absolute(mut self, absolute: bool) -> Self {
        self.absolute = absolute;
        self
    }

    /// What is to become better, instead of the loss: a metric of the run, such as `val_f1`, which says
    /// itself whether larger is better; `loss` or `val_loss`.
    pub const fn monitor(mut self, name: &'static str) -> Self {
        self.monitor = Some(name);
        self
    }

    /// How many epochs after a change do not count.
    pub const fn cooldown(mut self, cooldown: u64) -> Self {
        self.cooldown = cooldown;
        self
    }

    /// The lowest rate that it goes down to; no floor raises a rate that is lower.
    pub const fn floor(mut self, floor: f64) -> Self {
        self.floor = floor;
        self
    }
}

impl Default for ReduceOnPlateau {
    fn default() -> Self {
        ReduceOnPlateau::new()
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for ReduceOnPlateau {
    fn rate(&self, base: f64, _: u64) -> f64 {
        match self.now < 1.0 {
            // A floor above the rate is no reason to raise it.
            true => (base * self.now).max(self.floor.min(base)),
            false => base,
        }
    }

    fn monitors(&self) -> Option<&str> {
        self.monitor
    }

    fn epoch(&mut self, loss: f64) {
        // Better by a share of its size, on whichever side of 0 the best is. The first loss is better than
        // none.
        let margin = match (self.best.is_finite(), self.absolute) {
            (false, _) => 0.0,
            (true, true) => self.threshold,
            (true, false) => self.threshold * self.best.abs(),
        };
        if loss < self.best - margin {
            (self.best, self.bad) = (loss, 0);
        } else {
            self.bad += 1;
        }
        if self.cooling > 0 {
            (self.cooling, self.bad) = (self.cooling - 1, 0);
        }
        if self.bad > self.patience {
            self.now *= self.factor;
            (self.cooling, self.bad) = (self.cooldown, 0);
        }
    }

    fn settings(&self) -> String {
        let ReduceOnPlateau { factor, patience, threshold, absolute, monitor, cooldown, floor, .. } = self;
        let absolute = if *absolute { ", absolute" } else { "" };
        let monitor = monitor.map_or_else(String::new, |name| alloc::format!(", monitor: {name}"));
        alloc::format!(
            "ReduceOnPlateau {{ factor: {factor:?}, patience: {patience}, threshold: {threshold:?}{absolute}, cooldown: {cooldown}, \
             floor: {floor:?}{monitor} }}"
        )
    }

    fn state(&self) -> Vec<f64> {
        [self.best, self.bad as f64, self.cooling as f64, self.now].into()
    }

    fn set_state(&mut self, state: &[f64]) -> bool {
        let &[best, bad, cooling, now] = state else { return false };
        (self.best, self.bad, self.cooling, self.now) = (best, bad as u64, cooling as u64, now);
        true
    }

    fn check(&self) -> Result<(), String> {
        factor("ReduceOnPlateau", self.factor)?;
        if self.factor >= 1.0 {
            return Err(alloc::format!(
                "`ReduceOnPlateau`: expected a factor below 1, found {}\nhelp: 0.1 is usual",
                self.factor
            ));
        }
        if self.absolute && !(self.threshold >= 0.0 && self.threshold.is_finite()) {
            return Err(alloc::format!(
                "`ReduceOnPlateau`: expected an absolute threshold of at least 0, found {}\nhelp: 1e-4 is usual",
                self.threshold
            ));
        }
        if !self.absolute && !(0.0..1.0).contains(&self.threshold) {
            return Err(alloc::format!(
                "`ReduceOnPlateau`: expected a threshold from 0 up to but without 1, found {}\nhelp: 1e-4 is usual",
                self.threshold
            ));
        }
        floor("ReduceOnPlateau", self.floor)
    }
}
