//! When and where a run is written down. In: a path, how often, how many to keep; out: settings checked
//! before anything is touched.

use std::format;
use std::path::{Path, PathBuf};
use std::string::String;
use std::time::Duration;

/// How often a checkpoint is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Every {
    /// After so many batches, in the middle of an epoch too.
    Steps(u64),
    /// After so many epochs.
    Epochs(u64),
    /// After the first batch or epoch that ends when so much time has gone.
    Time(Duration),
}

impl From<Duration> for Every {
    fn from(time: Duration) -> Every {
        Every::Time(time)
    }
}

/// Files from which [`Trainer::resume`](super::Trainer::resume) goes on with a run that was broken off: at
/// any batch, on any number of threads, to the same bits of parameters, optimiser and history as if it had
/// not been, on the same instruction set.
///
/// | setting | default |
/// |---|---|
/// | `every` | each epoch |
/// | `keep` | 1: the last one |
///
/// One is written at the end too, however the run ends but by an error; before the best epoch is put back.
/// What stands at the path is always whole: a new file takes its place in one step when it is on the disk.
///
/// The file is safetensors: parameters under their own names, which [`Model::load`](crate::Model::load)
/// reads; behind `optimizer.`, the slot's name and a dot, what the optimiser remembers of each
/// (`optimizer.exp_avg.head.weight`); behind `ema.` the average; behind `accumulated.` gradients that wait
/// for more batches; behind `best.` the same of the best epoch, with
/// [`Fit::keep_best`](super::Fit::keep_best). Counts, schedule, history, settings and a fingerprint of the
/// network are in the header; a checksum ends it.
///
/// ```
/// use nn_runtime::prelude::*;
/// use nn_runtime::train::{Checkpoint, Every};
///
/// network! { struct Line: [1] -> [1] { Dense(1) } }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let path = std::env::temp_dir().join(format!("line-{}.ckpt", std::process::id()));
/// let data = Dataset::values(&[[1.0], [2.0]], &[[2.0], [4.0]])?;
/// let fit = |epochs| Fit::epochs(epochs).batch(1);
///
/// let mut model = Line::init(0);
/// let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(0.1));
/// trainer.fit(&data, fit(3).checkpoint(Checkpoint::to(&path).every(Every::Steps(1))))?;
///
/// let mut again = Line::init(1); // another program, later
/// let mut trainer = Trainer::new(&mut again, Mse::new(), Adam::new(0.1));
/// trainer.resume(&path)?;
/// let history = trainer.fit(&data, fit(5))?;
/// assert_eq!(history.epochs.len(), 5);
/// # std::fs::remove_file(&path)?;
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Checkpoint {
    pub(super) path: PathBuf,
    pub(super) every: Every,
    pub(super) keep: usize,
}

impl Checkpoint {
    /// The newest is always at this path.
    pub fn to(path: impl AsRef<Path>) -> Self {
        Checkpoint { path: path.as_ref().into(), every: Every::Epochs(1), keep: 1 }
    }

    /// How often: an [`Every`], or a [`Duration`].
    pub fn every(mut self, every: impl Into<Every>) -> Self {
        self.every = every.into();
        self
    }

    /// How many of the last ones are kept: the one before the newest at the path with `.1` behind it, and so
    /// on.
    pub fn keep(mut self, files: usize) -> Self {
        self.keep = files;
        self
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let never = matches!(self.every, Every::Steps(0) | Every::Epochs(0));
        if never {
            return Err("`Checkpoint`: expected at least 1 step or epoch between two, found 0\nhelp: \
                        `.every(Every::Steps(1000))`, or a duration"
                .into());
        }
        match self.keep {
            0 => Err("`Checkpoint`: expected at least 1 file to keep, found 0\nhelp: `.keep(3)`".into()),
            _ => Ok(()),
        }
    }

    /// Where the file is that was the newest so many files ago.
    pub(super) fn older(&self, ago: usize) -> PathBuf {
        if ago == 0 {
            return self.path.clone();
        }
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{ago}"));
        self.path.with_file_name(name)
    }
}
