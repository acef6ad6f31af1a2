//! What can go wrong in training, in words. In: what was expected and found; out: one error type.

use alloc::string::String;
use core::fmt;

#[cfg(feature = "std")]
use super::History;
use super::not_finite::{self, HELP, HELP_OBJECTIVE};
use crate::data::DataError;
#[cfg(feature = "std")]
use crate::distributed::CommunicationError;
#[cfg(feature = "std")]
use crate::save::WeightsError;

/// Why a training call was refused or stopped. The model is as it was before the call, but for
/// [`TrainError::Diverged`] and what cannot be read or written in the middle of a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum TrainError {
    /// The data cannot be trained on: what, and in which sample.
    Data(DataError),
    /// A setting is out of its range.
    Setting(String),
    /// The data does not fit the network or the loss, or there is nothing to learn from it.
    Mismatch(String),
    /// A step of [`fit`](super::Trainer::fit), or the validation after an epoch, came to what is not finite.
    /// The parameters are the best that there were, with all that belongs to them: optimiser, schedule,
    /// average.
    #[cfg(feature = "std")]
    #[non_exhaustive]
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The step within it, counted from 1.
        step: usize,
        /// What was not finite.
        found: NonFinite,
        /// The epoch whose parameters were put back; 0 for those `fit` began with.
        kept: usize,
        /// The loss of these parameters: of the validation samples where there are some, else of the training
        /// samples.
        loss: f64,
        /// The epochs that ended before.
        history: History,
    },
    /// A checkpoint could not be written, so that training has stopped with the model as it is; or it could
    /// not be gone on with, and nothing has changed.
    #[cfg(feature = "std")]
    #[non_exhaustive]
    Checkpoint {
        /// What, and in which file.
        error: WeightsError,
        /// The epochs that had ended.
        history: History,
    },
    /// A sample of a [`SampleSource`](crate::data::SampleSource) could not be read, or does not fit; or
    /// augmentation made of one what cannot be trained on. Training has stopped with the model as it is.
    #[cfg(feature = "std")]
    #[non_exhaustive]
    Read {
        /// Which sample, and what is wrong.
        error: String,
        /// The epochs that had ended.
        history: History,
    },
    /// A log could not be written: before the first step, and nothing has changed; or later, and training has
    /// stopped with the model as it is.
    #[cfg(feature = "std")]
    #[non_exhaustive]
    Log {
        /// What, and in which file.
        error: String,
        /// The epochs that had ended.
        history: History,
    },
    /// The ranks of a [distributed](super::Trainer::distributed) run cannot go on together: one of them has
    /// ended, or they do not run the same. The model is as after the last step that all have taken.
    #[cfg(feature = "std")]
    #[non_exhaustive]
    Distributed {
        /// Which rank, and what is wrong.
        error: CommunicationError,
        /// The epochs that had ended.
        history: History,
    },
    /// A single step came to what is not finite; it was not taken, and nothing has changed.
    #[non_exhaustive]
    NotFinite {
        /// The step, counted from 1.
        step: u64,
        /// What was not finite.
        found: NonFinite,
    },
}

/// What was infinite or NaN.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum NonFinite {
    /// The loss of a batch.
    Loss,
    /// The gradient of an output that an objective of one's own gave to
    /// [`step_with`](super::Trainer::step_with).
    #[non_exhaustive]
    OutputGradient {
        /// The output's number.
        output: usize,
        /// The sample's number within the batch.
        sample: usize,
        /// The number's place within the sample's output.
        element: usize,
    },
    /// The gradient of the tensor of this name.
    Gradient(String),
    /// The tensor of this name, as it would have been after the step.
    Parameter(String),
    /// The loss of the validation samples.
    Validation,
}

impl TrainError {
    pub(crate) fn setting(text: impl Into<String>) -> TrainError {
        TrainError::Setting(text.into())
    }

    pub(crate) fn mismatch(text: impl Into<String>) -> TrainError {
        TrainError::Mismatch(text.into())
    }
}

impl From<DataError> for TrainError {
    fn from(error: DataError) -> Self {
        TrainError::Data(error)
    }
}

impl fmt::Display for NonFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NonFinite::Loss => f.write_str(not_finite::NO_LOSS),
            NonFinite::OutputGradient { output, sample, element } => {
                not_finite::tell_output_gradient(f, *output, *sample, *element)
            }
            NonFinite::Gradient(name) => not_finite::tell_gradient(f, name),
            NonFinite::Parameter(name) => not_finite::tell_parameter(f, name),
            NonFinite::Validation => f.write_str("expected a finite validation loss, found NaN or infinity"),
        }
    }
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrainError::Data(error) => error.fmt(f),
            #[cfg(feature = "std")]
            TrainError::Checkpoint { error, .. } => error.fmt(f),
            #[cfg(feature = "std")]
            TrainError::Distributed { error, .. } => error.fmt(f),
            #[cfg(feature = "std")]
            TrainError::Log { error: text, .. } | TrainError::Read { error: text, .. } => f.write_str(text),
            TrainError::Setting(text) | TrainError::Mismatch(text) => f.write_str(text),
            TrainError::NotFinite { step, found } => {
                let help = match found {
                    NonFinite::OutputGradient { .. } => HELP_OBJECTIVE,
                    _ => HELP,
                };
                write!(f, "step {step}: {found}; the step was not taken{help}")
            }
            #[cfg(feature = "std")]
            TrainError::Diverged { epoch, step, found, kept, loss, .. } => {
                write!(f, "epoch {epoch}, step {step}: {found}; the parameters are ")?;
                match kept {
                    0 => f.write_str("those training began with")?,
                    kept => write!(f, "those after epoch {kept}")?,
                }
                write!(f, ", with a loss of {loss}{HELP}")
            }
        }
    }
}

impl core::error::Error for TrainError {}
