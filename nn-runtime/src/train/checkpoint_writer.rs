//! When a run is written down, and what becomes of the files before. In: every step and epoch; out: files.

use std::fs;
use std::io;
use std::string::String;
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::TrainError;
use super::checkpoint::{Checkpoint, Every};
use super::checkpoint_file::{Place, write};
use super::fit_state::{FitState, Settings};
use super::update::Update;
use super::world::{Lost, World};
use crate::files::cannot_write;
use crate::model::{Model, Network};
use crate::save::WeightsError;

/// What a checkpoint is written of, and the other ranks.
pub(super) type Trained<'a, N> = (&'a Model<N>, &'a Update, Option<&'a World>);

/// What writes checkpoints of one call of `fit`: rank 0 alone, from what all ranks remember.
pub(super) struct Writer {
    checkpoint: Checkpoint,
    trainer: Settings,
    fit: Settings,
    slots: Vec<String>,
    /// Since the last file.
    since: Instant,
    steps: u64,
    epochs: u64,
}

impl Writer {
    pub(super) fn new(checkpoint: Checkpoint, trainer: Settings, fit: Settings, slots: Vec<String>) -> Writer {
        Writer { checkpoint, trainer, fit, slots, since: Instant::now(), steps: 0, epochs: 0 }
    }

    /// A batch has been taken after which the run ends.
    pub(super) fn after_last_step(&mut self) {
        self.steps += 1;
    }

    /// A batch has been taken of an epoch that has begun then.
    pub(super) fn after_step<N: Network>(
        &mut self,
        trained: Trained<N>,
        state: &FitState,
        begun: Instant,
    ) -> Result<(), TrainError> {
        self.steps += 1;
        let due = match self.checkpoint.every {
            Every::Steps(steps) => self.steps >= steps,
            Every::Epochs(_) => false,
            Every::Time(time) => self.is_late(trained.2, time, state)?,
        };
        if due { self.write(trained, state, state.spent + begun.elapsed()) } else { Ok(()) }
    }

    /// An epoch has ended.
    pub(super) fn after_epoch<N: Network>(&mut self, trained: Trained<N>, state: &FitState) -> Result<(), TrainError> {
        self.epochs += 1;
        let due = match self.checkpoint.every {
            Every::Steps(_) => false,
            Every::Epochs(epochs) => self.epochs >= epochs,
            Every::Time(time) => self.is_late(trained.2, time, state)?,
        };
        if due { self.write(trained, state, state.spent) } else { Ok(()) }
    }

    /// Whether so much time has gone, by the clock of rank 0.
    fn is_late(&self, world: Option<&World>, time: Duration, state: &FitState) -> Result<bool, TrainError> {
        let late = self.since.elapsed() >= time;
        let Some(world) = world else { return Ok(late) };
        let own = u64::from(!late || world.rank() > 0);
        world.least([own]).map(|[none]| none == 0).map_err(|Lost| lost(Some(world), state))
    }

    /// The run has ended.
    pub(super) fn at_end<N: Network>(&mut self, trained: Trained<N>, state: &FitState) -> Result<(), TrainError> {
        match self.steps + self.epochs {
            0 => Ok(()),
            _ => self.write(trained, state, state.spent),
        }
    }

    fn write<N: Network>(&mut self, trained: Trained<N>, state: &FitState, spent: Duration) -> Result<(), TrainError> {
        let (model, update, world) = trained;
        let whole = update.whole(world, state.best.as_ref().map(|best| &best.state));
        let whole = whole.map_err(|Lost| lost(world, state))?;
        if world.is_some_and(|world| world.rank() > 0) {
            (self.since, self.steps, self.epochs) = (Instant::now(), 0, 0);
            return Ok(());
        }
        let place = Place { model, update, whole, slots: &self.slots };
        let fit = (state, spent, self.fit.clone());
        let written =
            self.make_room().and_then(|()| write(&self.checkpoint.path, &place, self.trainer.clone(), Some(fit)));
        (self.since, self.steps, self.epochs) = (Instant::now(), 0, 0);
        written.map_err(|error| TrainError::Checkpoint { error, history: state.history.clone() })
    }

    /// Gives the files before the next older name. The newest keeps its own until another takes its place.
    fn make_room(&self) -> Result<(), WeightsError> {
        for ago in (1..self.checkpoint.keep).rev() {
            let (from, to) = (self.checkpoint.older(ago - 1), self.checkpoint.older(ago));
            let moved = if ago > 1 { fs::rename(&from, &to) } else { link(&from, &to) };
            match moved {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot_write(&to, &error)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// What a run ends with that has lost other ranks.
fn lost(world: Option<&World>, state: &FitState) -> TrainError {
    let error = world.and_then(|world| world.error(state.history.clone()));
    error.unwrap_or_else(|| TrainError::setting("expected other ranks, found none"))
}

/// One more name for a file, or a copy where the file system knows no such.
fn link(from: &std::path::Path, to: &std::path::Path) -> io::Result<()> {
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::hard_link(from, to).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Err(error),
        _ => fs::copy(from, to).map(|_| ()),
    })
}
