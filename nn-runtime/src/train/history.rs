//! What a training run has been like. In: sums of losses and hits; out: means, by epoch, to print or plot.

use std::fmt;
use std::string::String;
use std::time::Duration;
use std::vec::Vec;

/// A step of a run, as [`Fit::on_step`](super::Fit::on_step) sees it.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct StepReport {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The batch within it, counted from 1.
    pub step: usize,
    /// How many batches it has.
    pub steps: usize,
    /// The mean loss of the batch, before the step, with what regularisers add.
    pub loss: f64,
}

/// How a model does on a set of samples.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct Evaluation {
    /// The mean loss of a sample, or of a step where the output is `[steps, …]`: `Σ weight · loss / Σ
    /// weight`, added up over outputs.
    pub loss: f64,
    /// The share of samples, or steps, answered rightly, from 0 to 1, where the loss knows right from wrong.
    /// Those of weight 0 are not counted, the others are counted once.
    pub accuracy: Option<f64>,
    /// How many samples.
    pub samples: usize,
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loss {:.4}", self.loss)?;
        match self.accuracy {
            Some(accuracy) => write!(f, ", accuracy {:.2} %", 100.0 * accuracy),
            None => Ok(()),
        }
    }
}

/// One pass over the training samples.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Epoch {
    /// Counted from 1.
    pub number: usize,
    /// Over the training samples, while the parameters were still changing.
    pub train: Evaluation,
    /// Over the validation samples, after the epoch.
    pub validation: Option<Evaluation>,
    /// What [`Fit::metrics`](super::Fit::metrics) came to, by name: `val_f1` of validation samples, `f1` of
    /// training samples, both after the epoch.
    pub metrics: Vec<(String, f64)>,
    /// Spent training.
    pub time: Duration,
}

impl Epoch {
    /// A number by its name: `loss`, `accuracy`, `val_loss`, `val_accuracy`, or a metric as it is called
    /// here.
    pub fn get(&self, name: &str) -> Option<f64> {
        let metric = self.metrics.iter().find(|(metric, _)| metric == name).map(|(_, number)| *number);
        metric.or_else(|| match name {
            "loss" => Some(self.train.loss),
            "accuracy" => self.train.accuracy,
            "val_loss" => self.validation.map(|validation| validation.loss),
            "val_accuracy" => self.validation.and_then(|validation| validation.accuracy),
            _ => None,
        })
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {}: {}", self.number, self.train)?;
        if let Some(validation) = self.validation {
            write!(f, ", validation {validation}")?;
        }
        self.metrics.iter().try_for_each(|(name, number)| write!(f, ", {name} {number:.4}"))?;
        write!(f, ", {:.2} s", self.time.as_secs_f64())
    }
}

/// How a run came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Ended {
    /// All epochs are done.
    #[default]
    AllEpochs,
    /// [`EarlyStopping`](super::EarlyStopping) saw no progress.
    NoProgress,
    /// A [`StopHandle`](super::StopHandle) or a function that looked on asked for it.
    Stopped,
}

/// All epochs of a run, in order.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct History {
    /// One for each epoch that has ended.
    pub epochs: Vec<Epoch>,
    /// Why there are no more.
    pub ended: Ended,
    /// The epoch whose model was put back at the end, counted from 1; see
    /// [`Fit::keep_best`](super::Fit::keep_best).
    pub best: Option<usize>,
}

impl History {
    /// The last epoch.
    pub fn last(&self) -> Option<&Epoch> {
        self.epochs.last()
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, epoch) in self.epochs.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            epoch.fmt(f)?;
        }
        Ok(())
    }
}
