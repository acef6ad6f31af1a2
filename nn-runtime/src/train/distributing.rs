//! A trainer among others: what has to be the same on all ranks, and what they decide together. In: what one
//! rank has; out: that all have the same, or each difference by its rank.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::fit_state::Settings;
use super::world::{Lost, World};
use super::{Every, History, TrainError, Trainer};
use crate::data::{Dataset, Targets};
use crate::distributed::Communicator;
use crate::losses::Loss;
use crate::model::Network;
use crate::optim::Optimizer;
use nn_kernels::fingerprint::fingerprint;

impl<N: Network, L, O: Optimizer> Trainer<'_, N, L, O> {
    /// Trains together with the other ranks of `world`: each computes its part of every batch, and all have
    /// the same parameters after every step. Nothing else of a program changes: every rank makes the same
    /// model and the same trainer, and calls the same methods with the same data. Rank 0 alone shows progress
    /// and writes logs and checkpoints; a checkpoint is read by every rank, by any number of them.
    ///
    /// The parameters are the same bits for any number of ranks, and of threads in each: a batch is cut into
    /// leaves of 16 to 64 samples by its size alone, each leaf has a gradient of its own, and these are added
    /// up in one fixed tree, whoever computes them. They are not the bits of a trainer that is not
    /// distributed, which sums over other blocks; a world of one rank has those of any other. Ranks beyond
    /// the number of leaves (`batch / 16`, where the batch has up to 128 samples) have nothing to do.
    ///
    /// The statistics of `BatchNorm` are those of the whole batch: ranks tell each other theirs in the middle
    /// of a pass. Each leaf has a thread of its own then, of which as many run at a time as
    /// [`threads`](Trainer::threads) says, and a batch has 64 leaves at most. A layer of one's own that
    /// [looks at whole batches](crate::LayerSpec::depends_on_batch), or keeps a running statistic, finds them
    /// on every rank: all run all samples, and none is faster than one.
    ///
    /// What all ranks must have alike is compared here and when training begins: network, instruction set,
    /// settings, parameters, data.
    ///
    /// See [`distributed`](crate::distributed) for an example.
    ///
    /// # Errors
    /// [`TrainError::Distributed`]: a rank has ended. [`TrainError::Setting`]: a rank runs another network or
    /// another instruction set; each is named.
    pub fn distributed(mut self, world: impl Communicator + 'static) -> Result<Self, TrainError> {
        let map = N::COMPILED;
        let text = |name: &str, value: String| (name.to_string(), value);
        let program = Vec::from([
            text("version", env!("CARGO_PKG_VERSION").into()),
            text("network", map.name.into()),
            text("fingerprint of the network", format!("{:016x}", map.fingerprint())),
            text("instruction set", self.executor.isa.name().into()),
        ]);
        self.executor.join::<N>(World::new(world));
        self.compare(&program)?;
        Ok(self)
    }

    /// The number of this rank, 0 where the trainer is not [distributed](Trainer::distributed).
    pub fn rank(&self) -> usize {
        self.executor.world.as_ref().map_or(0, World::rank)
    }

    /// What a call is ended with where other ranks are lost.
    pub(super) fn lost(&self, history: &History) -> Option<TrainError> {
        self.executor.world.as_ref()?.error(history.clone())
    }

    /// Whether all ranks have the same.
    ///
    /// # Errors
    /// They have not: each difference from rank 0, by rank; or a rank is lost.
    fn compare(&self, own: &Settings) -> Result<(), TrainError> {
        let Some(world) = &self.executor.world else { return Ok(()) };
        let own: Vec<String> = own.iter().map(|(name, value)| format!("{name}\u{1f}{value}")).collect();
        let all = world.tell(own.join("\u{1e}").as_bytes()).map_err(|Lost| self.gone())?;
        let all: Vec<Settings> = all.iter().map(|bytes| settings(&String::from_utf8_lossy(bytes))).collect();
        let different = differences(&all);
        match different.is_empty() {
            true => Ok(()),
            false => Err(TrainError::setting(format!(
                "{}\nhelp: start the same program with the same arguments and the same files on every rank",
                different.join("\n")
            ))),
        }
    }

    /// What is told where the others are lost.
    fn gone(&self) -> TrainError {
        let lost = self.lost(&History::default());
        lost.unwrap_or_else(|| TrainError::setting("expected other ranks, found none"))
    }

    /// Whether any rank says so.
    ///
    /// # Errors
    /// A rank is lost.
    pub(super) fn any(&self, said: bool) -> Result<bool, Lost> {
        match &self.executor.world {
            None => Ok(said),
            Some(world) => Ok(world.tell(&[u8::from(said)])?.iter().any(|said| said == &[1])),
        }
    }
}

impl<N: Network, L: Loss, O: Optimizer> Trainer<'_, N, L, O> {
    /// Whether all ranks train the same way from the same parameters on the same data. `data` is what is in
    /// memory.
    ///
    /// # Errors
    /// As [`compare`](Trainer::compare).
    pub(super) fn compare_runs<T: Targets>(
        &self,
        fit: &Settings,
        checkpoint: Option<Every>,
        data: &[&Dataset<T>],
    ) -> Result<(), TrainError> {
        if self.executor.world.is_none() {
            return Ok(());
        }
        let mut all = self.settings();
        all.extend(fit.iter().cloned());
        let text = |name: &str, value: String| (name.to_string(), value);
        let run = self.model.run;
        all.push(text("epochs and batches trained before", format!("{}, {}", run.epochs, run.batches)));
        all.push(text("steps", self.executor.update.state.scheduled_steps().to_string()));
        all.push(text("fingerprint of the parameters", format!("{:016x}", fingerprint(&self.model.params))));
        // Rank 0 writes what all remember.
        all.push(text("checkpoint", checkpoint.map_or("none".into(), |every| format!("{every:?}"))));
        for (data, name) in data.iter().zip(["training", "validation"]) {
            let mut parts: Vec<String> =
                data.inputs().iter().map(|input| format!("{:016x}", fingerprint(input.as_slice()))).collect();
            parts.push(format!("{:016x}", data.targets().fingerprint()));
            parts.extend(data.weights().map(|weights| format!("{:016x}", fingerprint(weights.as_slice()))));
            all.push(text(&format!("fingerprint of the {name} data"), parts.join(" ")));
        }
        self.compare(&all)
    }
}

/// What [`Trainer::compare`] sends.
fn settings(text: &str) -> Settings {
    let pair = |text: &str| text.split_once('\u{1f}').map(|(name, value)| (name.to_string(), value.to_string()));
    text.split('\u{1e}').filter_map(pair).collect()
}

/// What is not as rank 0 has it, in words.
fn differences(all: &[Settings]) -> Vec<String> {
    let Some((first, others)) = all.split_first() else { return Vec::new() };
    let mut different = Vec::new();
    for (rank, own) in (1..).zip(others) {
        let of = |settings: &Settings, name: &str| {
            settings.iter().find(|(found, _)| found == name).map_or("nothing".to_string(), |(_, value)| value.clone())
        };
        let more = own.iter().filter(|(name, _)| first.iter().all(|(found, _)| found != name));
        for (name, _) in first.iter().chain(more) {
            let (expected, found) = (of(first, name), of(own, name));
            if expected != found {
                different.push(format!("rank {rank}: {name}: expected as on rank 0, {expected}, found {found}"));
            }
        }
    }
    different
}
