//! The settings of a training run. In: what the user says; out: settings checked before anything is touched.

use super::TrainError;
use crate::data::{Dataset, Targets};

/// How to train: epochs, batch, order, what to show.
///
/// | setting | default | PyTorch | Keras |
/// |---|---|---|---|
/// | `batch` | 32 | 1 | 32 |
/// | `shuffle` | yes | no | yes |
/// | `seed` | 0 | random | random |
/// | `progress` | no | – | yes |
///
/// A short last batch is trained on like any other.
#[derive(Clone, Debug)]
#[must_use]
pub struct Fit<'d, T: Targets> {
    pub(crate) epochs: usize,
    pub(crate) batch: usize,
    pub(crate) seed: u64,
    pub(crate) shuffle: bool,
    pub(crate) progress: bool,
    pub(crate) validate: Option<&'d Dataset<T>>,
}

impl<'d, T: Targets> Fit<'d, T> {
    /// Trains on all samples `epochs` times.
    pub fn epochs(epochs: usize) -> Self {
        Fit { epochs, batch: 32, seed: 0, shuffle: true, progress: false, validate: None }
    }

    /// Samples per step. The last step of an epoch takes what is left; a single sample is left out if a layer
    /// such as [`BatchNorm`](crate::layers::BatchNorm) normalises over the batch, as one number has no
    /// variance.
    pub fn batch(mut self, batch: usize) -> Self {
        self.batch = batch;
        self
    }

    /// The seed of the order of samples and of training noise.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Whether the samples are put in a new random order for each epoch.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// Shows a progress line on standard error.
    pub fn progress(mut self, progress: bool) -> Self {
        self.progress = progress;
        self
    }

    /// Evaluates on these samples after each epoch.
    pub fn validate(mut self, data: &'d Dataset<T>) -> Self {
        self.validate = Some(data);
        self
    }

    pub(crate) fn check(&self) -> Result<(), TrainError> {
        if self.batch == 0 {
            return Err(TrainError::setting(
                "expected a batch of at least 1 sample, found 0\nhelp: `Fit::epochs(5).batch(32)`",
            ));
        }
        if self.epochs == 0 {
            return Err(TrainError::setting("expected at least 1 epoch, found 0\nhelp: `Fit::epochs(5)`"));
        }
        Ok(())
    }
}
