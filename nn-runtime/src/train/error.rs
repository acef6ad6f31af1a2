//! What can go wrong in training, in words. In: what was expected and found; out: one error type. Nothing is
//! trained here.

use std::fmt;

use crate::data::DataError;

/// Why a training call was refused or stopped. The model is as it was before the call, but for
/// [`TrainError::Diverged`].
#[derive(Debug)]
#[non_exhaustive]
pub enum TrainError {
    /// The data cannot be trained on: what, and in which sample.
    Data(DataError),
    /// A setting is out of its range, or the data does not fit the network.
    Setting(String),
    /// The loss or a parameter became infinite or NaN. The parameters are those after the last epoch that was
    /// finite, or those that `fit` began with.
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The step within it, counted from 1.
        step: usize,
        /// The last epoch whose parameters are kept; 0 for those `fit` began with.
        kept: usize,
    },
    /// The loss of a single step is infinite or NaN; the step was not taken.
    NotFinite {
        /// The step, counted from 1.
        step: u64,
    },
}

impl TrainError {
    pub(crate) fn setting(text: impl Into<String>) -> TrainError {
        TrainError::Setting(text.into())
    }
}

impl From<DataError> for TrainError {
    fn from(error: DataError) -> Self {
        TrainError::Data(error)
    }
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrainError::Data(error) => error.fmt(f),
            TrainError::Setting(text) => f.write_str(text),
            TrainError::NotFinite { step } => write!(
                f,
                "step {step}: expected a finite loss, found NaN or infinity; the step was not taken\nhelp: use a smaller learning rate, or scale the data"
            ),
            TrainError::Diverged { epoch, step, kept } => {
                write!(
                    f,
                    "epoch {epoch}, step {step}: expected a finite loss and finite parameters, found NaN or infinity; "
                )?;
                match kept {
                    0 => f.write_str("the parameters are those training began with")?,
                    kept => write!(f, "the parameters are those after epoch {kept}")?,
                }
                f.write_str("\nhelp: use a smaller learning rate, or scale the data")
            }
        }
    }
}

impl std::error::Error for TrainError {}
