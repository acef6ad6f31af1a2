//! The settings of a training run. In: what the user says; out: settings checked before anything is touched.

use core::any::type_name;
use std::boxed::Box;
use std::format;
use std::ops::ControlFlow;
use std::string::{String, ToString};
use std::vec::Vec;

use super::checkpoint::Checkpoint;
use super::feed::{Feed, Sourced};
use super::loader::Augmentation;
use super::metrics::Metrics;
use super::tracked::TrackedMetrics;
use super::{EarlyStopping, Epoch, Log, StepReport, StopHandle, TrainError};
use crate::Model;
use crate::data::{Dataset, SampleSource, Targets};
use crate::random::Random;
use crate::shape::Shape;
use nn_kernels::fingerprint::fingerprint;

/// How to train: epochs, batch, order, what to show, when to end, what to keep.
///
/// | setting | default | PyTorch | Keras |
/// |---|---|---|---|
/// | `batch` | 32 | 1 | 32 |
/// | `shuffle` | yes | no | yes |
/// | `seed` | 0 | random | random |
/// | `progress` | no | – | yes |
/// | `validate`, `validate_source` | no | – | `validation_data` |
/// | `augment` | none | `transforms` | layers such as `RandomRotation` |
/// | `loaders` | 1 | `num_workers` 0 | `workers` 1 |
/// | `metrics` | none | – | `compile(metrics=…)` |
/// | `early_stopping`, `keep_best` | no | – | `EarlyStopping` |
/// | `on_epoch`, `on_step`, `stop_by` | none | – | `Callback` |
/// | `log` | none | `SummaryWriter` | `CSVLogger`, `TensorBoard` |
/// | `checkpoint` | none | – | `BackupAndRestore`, which redoes the epoch |
///
/// A short last batch is trained on like any other. `T` are the targets, `N` is the network; both follow from
/// the trainer that it is given to.
#[must_use]
pub struct Fit<'d, T: Targets, N> {
    pub(super) epochs: usize,
    pub(super) batch: usize,
    pub(super) seed: u64,
    pub(super) shuffle: bool,
    pub(super) progress: bool,
    pub(super) validate: Option<&'d Dataset<T>>,
    pub(super) validate_source: Option<Box<dyn Feed<T> + 'd>>,
    pub(super) metrics: Option<Box<dyn TrackedMetrics<T> + 'd>>,
    pub(super) early_stopping: Option<EarlyStopping>,
    pub(super) keep_best: bool,
    pub(super) monitor: Option<String>,
    pub(super) on_epoch: Option<Box<OnEpoch<'d, N>>>,
    pub(super) on_step: Option<Box<OnStep<'d, N>>>,
    pub(super) stop: Option<StopHandle>,
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) logs: Vec<Log>,
    /// Each with the input it changes.
    pub(super) augment: Vec<(usize, Box<Augmentation<'d>>)>,
    /// What the types of these changes are called.
    pub(super) augment_names: Vec<&'static str>,
    pub(super) loaders: usize,
}

type OnEpoch<'d, N> = dyn FnMut(&Epoch, &Model<N>) -> ControlFlow<()> + 'd;
type OnStep<'d, N> = dyn FnMut(&StepReport, &Model<N>) -> ControlFlow<()> + 'd;

impl<'d, T: Targets, N> Fit<'d, T, N> {
    /// Trains on all samples `epochs` times.
    pub fn epochs(epochs: usize) -> Self {
        Fit {
            epochs,
            batch: 32,
            seed: 0,
            shuffle: true,
            progress: false,
            validate: None,
            validate_source: None,
            metrics: None,
            early_stopping: None,
            keep_best: false,
            monitor: None,
            on_epoch: None,
            on_step: None,
            stop: None,
            checkpoint: None,
            logs: Vec::new(),
            augment: Vec::new(),
            augment_names: Vec::new(),
            loaders: 1,
        }
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

    /// Shows on standard error how it goes: on a terminal a bar with loss, samples a second and the time that
    /// is left, and a line for each epoch; elsewhere the lines alone.
    pub fn progress(mut self, progress: bool) -> Self {
        self.progress = progress;
        self
    }

    /// Evaluates on these samples after each epoch.
    pub fn validate(mut self, data: &'d Dataset<T>) -> Self {
        (self.validate, self.validate_source) = (Some(data), None);
        self
    }

    /// Evaluates on samples that are read after each epoch, as [`fit_source`](super::Trainer::fit_source)
    /// reads them, in their order.
    pub fn validate_source<S: SampleSource<Targets = T>>(mut self, source: &'d S) -> Self {
        self.validate = None;
        self.validate_source = Some(Box::new(Sourced(source)));
        self
    }

    /// What is measured after each epoch, as the model predicts then: a metric or a tuple of them, as for
    /// [`evaluate_with`](super::Trainer::evaluate_with). On the validation samples where there are some, each
    /// called `val_…` in the [history](Epoch::metrics); else on the training samples, in a pass of their own.
    pub fn metrics(mut self, metrics: impl Metrics<T> + 'd) -> Self {
        self.metrics = Some(Box::new(metrics));
        self
    }

    /// Ends training where nothing becomes better any more; see [`EarlyStopping`].
    pub fn early_stopping(mut self, stopping: EarlyStopping) -> Self {
        self.early_stopping = Some(stopping);
        self
    }

    /// At the end, however it comes, puts back the model of the best epoch, with all that belongs to it
    /// (optimiser, schedule, average): as if training had ended there. Of equal ones the first; the best is
    /// by what is [monitored](Fit::monitor). Takes memory for one more copy of parameters and of what the
    /// optimiser remembers.
    pub fn keep_best(mut self) -> Self {
        self.keep_best = true;
        self
    }

    /// What the best epoch is found by, where [`EarlyStopping::monitor`] does not say: `val_loss` if samples
    /// are validated, `loss` if not, or a metric.
    pub fn monitor(mut self, name: impl Into<String>) -> Self {
        self.monitor = Some(name.into());
        self
    }

    /// Called after each epoch with what it was like and the model as it is; `ControlFlow::Break(())` ends
    /// training.
    pub fn on_epoch(mut self, look: impl FnMut(&Epoch, &Model<N>) -> ControlFlow<()> + 'd) -> Self {
        self.on_epoch = Some(Box::new(look));
        self
    }

    /// Called after each batch with its loss and the model as it is; `ControlFlow::Break(())` ends training
    /// in the middle of the epoch, of which the history then does not tell.
    pub fn on_step(mut self, look: impl FnMut(&StepReport, &Model<N>) -> ControlFlow<()> + 'd) -> Self {
        self.on_step = Some(Box::new(look));
        self
    }

    /// Ends training after the step in which the handle is pulled; see [`StopHandle`].
    pub fn stop_by(mut self, handle: &StopHandle) -> Self {
        self.stop = Some(handle.clone());
        self
    }

    /// Writes files from which a run that was broken off goes on to the bit; see [`Checkpoint`].
    pub fn checkpoint(mut self, checkpoint: Checkpoint) -> Self {
        self.checkpoint = Some(checkpoint);
        self
    }

    /// Writes the numbers of every epoch to a file as soon as it ends: JSON lines, if it is a path, or what
    /// [`Log`] says. Each call is one more.
    pub fn log(mut self, log: impl Into<Log>) -> Self {
        self.logs.push(log.into());
        self
    }

    /// Changes every sample at random each time it is trained on: `change` gets its first input, a copy, and
    /// random numbers that follow from [`seed`](Fit::seed), the epoch and the sample alone. Other threads do
    /// it while the network learns; the bits do not depend on how many. Validation and metrics see samples as
    /// they are. Each call is one more, in this order; ready ones are in
    /// [`data::augment`](crate::data::augment).
    ///
    /// ```
    /// use nn_runtime::data::{augment, digits};
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Digits: [1, 28, 28] -> [10] { Flatten -> Dense(10) } }
    ///
    /// let train = digits::draw(200, 1);
    /// let mut model = Digits::init(0);
    /// let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
    /// let fit = Fit::epochs(2)
    ///     .augment(augment::shift([1, 28, 28], 2))
    ///     .augment(|pixels, random| {
    ///         let ink = random.between(0.5, 1.5);
    ///         pixels.iter_mut().for_each(|pixel| *pixel = (*pixel * ink).min(1.0));
    ///     });
    /// trainer.fit(&train, fit).unwrap();
    /// ```
    ///
    /// A run that goes on after a checkpoint needs the same changes: a checkpoint knows what each is called,
    /// and by a number what it makes of samples that are always the same,
    /// of which it is asked four times then.
    pub fn augment<F: Fn(&mut [f32], &mut Random) + Sync + 'd>(self, change: F) -> Self {
        self.augment_input(0, change)
    }

    /// As [`augment`](Fit::augment), of input `k`.
    pub fn augment_input<F: Fn(&mut [f32], &mut Random) + Sync + 'd>(mut self, k: usize, change: F) -> Self {
        self.augment.push((k, Box::new(change)));
        self.augment_names.push(type_name::<F>());
        self
    }

    /// How many threads prepare the next batches where they are [read](super::Trainer::fit_source) or
    /// [augmented](Fit::augment) while the network learns: 1 if nothing is said. Each has memory for two
    /// batches. PyTorch's `num_workers`. The bits do not depend on it.
    pub fn loaders(mut self, loaders: usize) -> Self {
        self.loaders = loaders;
        self
    }

    /// What samples are changed by, each by its name and the fingerprint of what it does to samples that are
    /// always the same.
    pub(super) fn augmentations(&self, inputs: &[Shape]) -> String {
        let of = |((k, change), name): (&(usize, Box<Augmentation<'d>>), &&str)| {
            let path = name.replace("::{{closure}}", "");
            let name = path.rsplit("::").next().unwrap_or_default();
            let mut seen = Vec::new();
            for draw in 0..4 {
                let mut random = Random::keyed(draw, &[]);
                let mut sample: Vec<f32> = (0..inputs[*k].len()).map(|_| random.between(0.0, 1.0)).collect();
                change(&mut sample, &mut random);
                seen.append(&mut sample);
            }
            format!("{name} of input {k} ({:08x})", fingerprint(&seen) as u32)
        };
        let all: Vec<String> = self.augment.iter().zip(&self.augment_names).map(of).collect();
        all.join(", ")
    }

    /// Whether augmentation has something to change.
    pub(super) fn check_augmentation(&self, inputs: &[Shape]) -> Result<(), TrainError> {
        match self.augment.iter().find(|(k, _)| *k >= inputs.len()) {
            Some((k, _)) => {
                let expected = inputs.len();
                Err(TrainError::setting(format!("augment: expected an input below {expected}, found {k}")))
            }
            None => Ok(()),
        }
    }

    pub(super) fn check(&self) -> Result<(), TrainError> {
        if self.batch == 0 {
            return Err(TrainError::setting(
                "expected a batch of at least 1 sample, found 0\nhelp: `Fit::epochs(5).batch(32)`",
            ));
        }
        if self.loaders == 0 {
            return Err(TrainError::setting("expected at least 1 loader, found 0\nhelp: `.loaders(2)`"));
        }
        if self.epochs == 0 {
            return Err(TrainError::setting("expected at least 1 epoch, found 0\nhelp: `Fit::epochs(5)`"));
        }
        if let Some(stopping) = &self.early_stopping {
            stopping.check().map_err(TrainError::setting)?;
        }
        if let Some(checkpoint) = &self.checkpoint {
            checkpoint.check().map_err(TrainError::setting)?;
        }
        Ok(())
    }

    /// Shows and writes nothing, as another rank does.
    pub(super) fn write_nothing(&mut self) {
        self.progress = false;
        self.logs.clear();
    }

    /// Whether there is something to monitor.
    pub(super) fn watches(&self) -> bool {
        self.early_stopping.is_some() || self.keep_best
    }

    /// What is monitored, and whether lower is better.
    ///
    /// # Errors
    /// Nothing has this name.
    pub(super) fn monitored(&self, validates: bool) -> Result<(String, bool), TrainError> {
        let said = self.early_stopping.as_ref().and_then(EarlyStopping::monitored).or(self.monitor.as_deref());
        let default = if validates { "val_loss" } else { "loss" };
        let mut names = Vec::from([("loss".to_string(), true)]);
        if validates {
            names.push(("val_loss".into(), true));
        }
        if let Some(metrics) = &self.metrics {
            let prefix = if validates { "val_" } else { "" };
            names.extend(metrics.names().into_iter().map(|(name, lower)| (format!("{prefix}{name}"), lower)));
        }
        let wanted = said.unwrap_or(default);
        // Of each class there is a number once there are rows.
        let found = names
            .iter()
            .find(|(name, _)| name == wanted || name.strip_suffix("_*").is_some_and(|stem| is_of_class(wanted, stem)));
        match found {
            Some((_, lower)) => Ok((wanted.into(), *lower)),
            None => {
                let names: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
                let given = self.validate.is_some() || self.validate_source.is_some();
                let help = match (wanted.starts_with("val_") && !validates, given) {
                    (true, false) => {
                        "validate on samples, `.validate(&data)`, or monitor what is of the training samples"
                    }
                    (true, true) => "give at least one validation sample a weight above 0",
                    _ => "give it to `.metrics(…)`, or monitor one of these",
                };
                Err(TrainError::setting(format!(
                    "expected one of {} to monitor, found `{wanted}`\nhelp: {help}",
                    names.join(", ")
                )))
            }
        }
    }
}

fn is_of_class(name: &str, stem: &str) -> bool {
    let class = name.strip_prefix(stem).and_then(|rest| rest.strip_prefix('_'));
    class.is_some_and(|class| class.parse::<usize>().is_ok())
}
