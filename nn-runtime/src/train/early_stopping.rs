//! When training is no longer worth its while, and which epoch was the best. In: one number an epoch; out:
//! whether to go on, and whether the epoch is the best so far.

use std::format;
use std::string::String;

/// Ends [`fit`](super::Trainer::fit) when what is monitored has not become better for `patience` epochs in a
/// row. Better is by more than `min_delta` than the best so far: `value < best - min_delta`, or
/// `value > best + min_delta` where higher is better. Prechelt, "Early Stopping — But When?", 1998.
///
/// | setting | default | Keras's `EarlyStopping` |
/// |---|---|---|
/// | `patience` | must be given | `patience=0`; there 0 is as 1 |
/// | `min_delta` | 0 | `min_delta=0` |
/// | `monitor` | `val_loss`; `loss` where nothing is validated | `monitor="val_loss"` |
/// | `start_from` | epoch 0 | `start_from_epoch=0` |
/// | [`Fit::keep_best`](super::Fit::keep_best) | no | `restore_best_weights=False` |
///
/// PyTorch has none. Losses and errors are to fall, scores to rise, as each metric tells. A loss below 0 is
/// judged like any other: `min_delta` is no share of it. A metric that is NaN is never better, and counts as
/// an epoch without progress; a loss that is NaN or infinite ends training by itself, as an error. Where no
/// validation sample has a weight nothing is validated, and there is no `val_…` to monitor, which is refused
/// before the first step.
///
/// ```
/// use nn_runtime::prelude::*;
/// use nn_runtime::train::Ended;
///
/// network! { struct Line: [1] -> [1] { Dense(1) } }
///
/// let data = Dataset::values(&[[1.0], [2.0]], &[[2.0], [4.0]]).unwrap();
/// let mut model = Line::init(0);
/// let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
/// let stopping = EarlyStopping::patience(3).min_delta(1e-6);
/// let fit = Fit::epochs(100_000).validate(&data).early_stopping(stopping).keep_best();
/// let history = trainer.fit(&data, fit).unwrap();
/// assert_eq!(history.ended, Ended::NoProgress);
/// assert!(history.epochs.len() < 1000);
/// ```
#[derive(Clone, PartialEq, Debug)]
#[must_use]
pub struct EarlyStopping {
    patience: usize,
    min_delta: f64,
    start_from: usize,
    monitor: Option<String>,
}

impl EarlyStopping {
    /// After so many epochs in a row without progress.
    pub fn patience(epochs: usize) -> Self {
        EarlyStopping { patience: epochs, min_delta: 0.0, start_from: 0, monitor: None }
    }

    /// By how much a value must be better than the best so far.
    pub fn min_delta(mut self, delta: f64) -> Self {
        self.min_delta = delta;
        self
    }

    /// What is looked at: `loss`, `val_loss`, or a metric of [`Fit::metrics`](super::Fit::metrics), with
    /// `val_` before it where samples are validated.
    pub fn monitor(mut self, name: impl Into<String>) -> Self {
        self.monitor = Some(name.into());
        self
    }

    /// Epochs before this one, counted from 0, are not looked at.
    pub fn start_from(mut self, epoch: usize) -> Self {
        self.start_from = epoch;
        self
    }

    pub(super) fn monitored(&self) -> Option<&str> {
        self.monitor.as_deref()
    }

    /// What is wrong with the settings.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.min_delta >= 0.0 && self.min_delta.is_finite() {
            true => Ok(()),
            false => Err(format!(
                "`EarlyStopping`: expected a `min_delta` of at least 0, found {}\nhelp: which way is better the metric tells",
                self.min_delta
            )),
        }
    }
}

/// What has been seen of the monitored value.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Progress {
    /// The best value so far, and its epoch, counted from 1.
    pub(super) best: Option<(f64, usize)>,
    /// The best that was better by enough.
    pub(super) reference: Option<f64>,
    /// Epochs without progress.
    pub(super) waited: usize,
}

impl Progress {
    pub(super) const fn new() -> Progress {
        Progress { best: None, reference: None, waited: 0 }
    }

    /// An epoch has ended, counted from 1, with this value. Whether it is the best so far.
    pub(super) fn epoch(&mut self, stopping: Option<&EarlyStopping>, number: usize, value: f64, lower: bool) -> bool {
        let better = |than: Option<f64>, by: f64| match than {
            None => !value.is_nan(),
            Some(than) if lower => value < than - by,
            Some(than) => value > than + by,
        };
        if let Some(stopping) = stopping.filter(|stopping| number > stopping.start_from) {
            match better(self.reference, stopping.min_delta) {
                true => (self.reference, self.waited) = (Some(value), 0),
                false => self.waited += 1,
            }
        }
        let best = better(self.best.map(|(best, _)| best), 0.0);
        if best {
            self.best = Some((value, number));
        }
        best
    }

    pub(super) fn is_over(&self, stopping: Option<&EarlyStopping>) -> bool {
        stopping.is_some_and(|stopping| self.waited >= stopping.patience.max(1))
    }
}
