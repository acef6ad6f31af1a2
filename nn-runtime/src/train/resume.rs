//! Going on with a run that was broken off. In: a file; out: a trainer that stands where the file was
//! written, or every difference by its name, and nothing changed.

use std::format;
use std::io;
use std::path::Path;
use std::string::{String, ToString};
use std::vec::Vec;

use super::checkpoint_file::{Place, differences, read, slot_names, write};
use super::checkpoint_writer::Trained;
use super::fit_state::{FitState, Resumed, Settings};
use super::tensor_names::learnt;
use super::update_state::UpdateState;
use super::world::Lost;
use super::{Fit, History, TrainError, Trainer};
use crate::data::Targets;
use crate::files::cannot_write;
use crate::files::tensor_file::faults_of;
use crate::losses::Loss;
use crate::model::Network;
use crate::optim::Optimizer;
use crate::save::{WeightsError, WeightsErrorKind};
use crate::shape::Shape;

/// What of a call of `fit` the bits of a run depend on.
pub(super) fn fit_settings<T: Targets, N>(
    fit: &Fit<T, N>,
    (inputs, written): (&[Shape], bool),
    (samples, validated): (usize, usize),
    groups: Option<String>,
    watched: Option<&(String, bool)>,
) -> Settings {
    let text = |name: &str, value: String| (name.to_string(), value);
    let metrics = fit.metrics.as_ref().map(|metrics| metrics.names()).unwrap_or_default();
    let metrics: Vec<String> = metrics.into_iter().map(|(name, _)| name).collect();
    let stopping = fit.early_stopping.as_ref().map_or("none".into(), |stopping| format!("{stopping:?}"));
    let mut settings = Vec::from([
        text("batch", fit.batch.to_string()),
        text("seed", fit.seed.to_string()),
        text("shuffle", fit.shuffle.to_string()),
        text("training samples", samples.to_string()),
        text("validation samples", validated.to_string()),
        text("metrics", if metrics.is_empty() { "none".into() } else { metrics.join(", ") }),
        text("early stopping", stopping),
        text("keep best", fit.keep_best.to_string()),
        text("monitor", watched.map_or("none".into(), |(name, _)| name.clone())),
    ]);
    if let Some(groups) = groups.filter(|_| fit.shuffle) {
        settings.push(text("groups", groups));
    }
    if !fit.augment.is_empty() {
        let what = if written { fit.augmentations(inputs) } else { fit.augment.len().to_string() };
        settings.push(text("augmentations", what));
    }
    settings
}

impl<N: Network, L: Loss, O: Optimizer> Trainer<'_, N, L, O> {
    /// Writes down the model, what optimiser, schedule and average remember, and how far it has been trained,
    /// as a [`Checkpoint`](super::Checkpoint) does in the middle of a run: for loops of one's own. Where
    /// ranks train together every one calls it, as each remembers a share, and rank 0 writes.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Line: [1] -> [1] { Dense(1) } }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let path = std::env::temp_dir().join(format!("own-loop-{}.ckpt", std::process::id()));
    /// let data = Dataset::values(&[[1.0]], &[[2.0]])?;
    /// let mut model = Line::init(0);
    /// let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(0.1));
    /// trainer.step(&data)?;
    /// trainer.save_checkpoint(&path)?;
    /// let loss = trainer.step(&data)?;
    ///
    /// let mut again = Line::init(1);
    /// let mut trainer = Trainer::new(&mut again, Mse::new(), Adam::new(0.1));
    /// trainer.resume(&path)?;
    /// assert_eq!(trainer.step(&data)?, loss);
    /// # std::fs::remove_file(&path)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The file cannot be written; one that was there before is as it was.
    pub fn save_checkpoint(&self, path: impl AsRef<Path>) -> Result<(), WeightsError> {
        let (path, slots) = (path.as_ref(), slot_names(&self.optimizer));
        let (model, update, world) = self.trained();
        let lost = |Lost| {
            let lost = self.lost(&History::default());
            cannot_write(path, &io::Error::other(lost.map_or_else(String::new, |error| error.to_string())))
        };
        let whole = update.whole(world, None).map_err(lost)?;
        match self.rank() {
            0 => write(path, &Place { model, update, whole, slots: &slots }, self.settings(), None),
            _ => Ok(()),
        }
    }

    /// Goes on where a checkpoint was written: parameters, what optimiser, schedule and average remember, how
    /// far the model has been trained. If it was written in a call of [`fit`](Trainer::fit), the next one, on
    /// the same data and with the same settings but for the number of epochs, goes on in the middle of it, to
    /// the same bits, and tells of all its epochs. Threads may be others, and so may progress, functions that
    /// look on and checkpoints. What diverges after that goes back to the file at the furthest.
    ///
    /// # Errors
    /// A file that cannot be read, is damaged, of another version, network, loss or optimiser, or of other
    /// settings of the trainer: each is named, and nothing has changed.
    pub fn resume(&mut self, path: impl AsRef<Path>) -> Result<(), TrainError> {
        let path = path.as_ref();
        self.check_once()?;
        let mut fresh = UpdateState::new(N::COMPILED, &self.optimizer);
        let now = &self.executor.update.state;
        (fresh.schedule, fresh.ema, fresh.carried) = (now.schedule.clone(), now.ema.clone(), now.carried.clone());
        let found = read::<N>(path, &slot_names(&self.optimizer), &self.settings(), &fresh)
            .map_err(|error| TrainError::Checkpoint { error, history: Default::default() })?;
        self.model.params.copy_from_slice(&found.params);
        self.model.run = found.run;
        if let Some(run) = &mut self.executor.update.privacy {
            run.go_on(&found.spent);
        }
        self.executor.update.go_on(found.state, found.waiting, found.grads.as_deref());
        self.resumed = found.fit.map(|(state, settings)| Resumed { path: path.into(), state, settings });
        Ok(())
    }

    /// The run that a file was read of, if `fit` is to go on with one.
    ///
    /// # Errors
    /// It was begun with other settings; it is still to be gone on with.
    pub(super) fn take_resumed(&mut self, now: &Settings, epochs: usize) -> Result<Option<FitState>, TrainError> {
        let Some(resumed) = self.resumed.take() else { return Ok(None) };
        let mut changed = differences(&resumed.settings, now);
        let done = resumed.state.history.epochs.len();
        if done > epochs {
            changed.push(format!("epochs: expected at least the {done} of the file, found {epochs}"));
        }
        if changed.is_empty() {
            return Ok(Some(resumed.state));
        }
        let help = "train as the run was begun, or with a new trainer";
        let error = faults_of(&resumed.path, WeightsErrorKind::Mismatch, changed, help);
        self.resumed = Some(resumed);
        Err(TrainError::Checkpoint { error, history: Default::default() })
    }

    /// What of this trainer the bits of a run depend on.
    pub(super) fn settings(&self) -> Settings {
        let update = &self.executor.update;
        let text = |name: &str, value: String| (name.to_string(), value);
        let none = || "none".to_string();
        let regularizers: Vec<String> = update.regularizers.iter().map(|one| format!("{one:?}")).collect();
        let special = learnt(N::COMPILED).into_iter().filter_map(|tensor| match update.groups.factor(tensor.offset) {
            None => Some(format!("{} frozen", tensor.name)),
            Some(1.0) => None,
            Some(factor) => Some(format!("{} times {factor:?}", tensor.name)),
        });
        let special: Vec<String> = special.collect();
        let list = |all: Vec<String>| if all.is_empty() { none() } else { all.join(", ") };
        // Its sums are other ones, on however many ranks.
        let distributed = self.executor.world.as_ref().map(|_| text("distributed", "yes".into()));
        let settings = [
            text("loss", self.loss.settings()),
            text("optimizer", self.optimizer.settings()),
            text("schedule", update.state.schedule.settings()),
            text("clip", update.clip.map_or_else(none, |clip| format!("{clip:?}"))),
            text("accumulate", update.accumulate.to_string()),
            text("regularizers", list(regularizers)),
            text("tensors", list(special)),
            text("ema", update.state.ema.as_ref().map_or_else(none, |ema| ema.of.settings())),
        ];
        let private = update.privacy.as_ref().map(|run| text("privacy", run.settings()));
        let stateful = update.state.carried.as_ref().map(|_| text("stateful", "yes".into()));
        settings.into_iter().chain(distributed).chain(stateful).chain(private).collect()
    }

    /// What a checkpoint is written of.
    pub(super) fn trained(&self) -> Trained<'_, N> {
        (&self.model, &self.executor.update, self.executor.world.as_ref())
    }
}
