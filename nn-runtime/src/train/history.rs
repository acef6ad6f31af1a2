//! What a training run has been like. In: sums of losses and hits; out: means, by epoch, to print or plot.

use std::fmt;
use std::time::Duration;

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
    /// Spent training.
    pub time: Duration,
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {}: {}", self.number, self.train)?;
        if let Some(validation) = self.validation {
            write!(f, ", validation {validation}")?;
        }
        write!(f, ", {:.2} s", self.time.as_secs_f64())
    }
}

/// All epochs of a run, in order.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct History {
    /// One for each epoch.
    pub epochs: Vec<Epoch>,
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
