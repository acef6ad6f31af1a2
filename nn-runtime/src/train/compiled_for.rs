//! For whom what runs a batch is compiled: once in this crate for all networks, losses and optimisers; but in
//! a release build a plain step, and steps by what is no loss of rows, for their own alone. In: a model and a
//! batch; out: what [`Executor`] makes of them, the same bits.

use super::batch_pass::Batch;
use super::executor::Executor;
use super::judge::Judge;
use super::loss_sums::LossSums;
use super::passes::{AnyPasses, OwnPasses};
use super::refusal::Refusal;
use super::step_result::StepResult;
use super::world::Lost;
use crate::model::{Model, Network, TrainedSoFar};
use crate::optim::Optimizer;
use nn_kernels::aligned_buffer::AlignedBuffer;

/// Whether those, too, are run by what is compiled in this crate: a debug build optimises it where
/// `Cargo.toml` says so of this crate, and not what it compiles for the user's own types.
const COMPILED_HERE: bool = cfg!(debug_assertions);

/// An objective on whole batches: of outputs, and the places of their gradients.
type AnyObjective<'a> = dyn FnMut(&[&[f32]], &mut [&mut [f32]]) -> f64 + 'a;

impl Executor {
    /// Trains on the samples of a batch, `targets` and `weights` all its own, and returns what its rows come
    /// to. Where no row has a weight, nothing is changed.
    ///
    /// # Errors
    /// The loss, a gradient or a new parameter is not finite; all is as before.
    pub(super) fn train<N: Network>(
        &mut self,
        model: &mut Model<N>,
        optimizer: &mut impl Optimizer,
        seed: u64,
        batch: &Batch<impl Judge>,
    ) -> Result<StepResult, Refusal> {
        let trained = (&mut model.params, &mut model.run);
        // What else a step may be asked for is compiled once: it matters less, and would be most of the code.
        match !COMPILED_HERE && self.is_plain(batch.samples) {
            true => self.train_plain(OwnPasses::<N>::new(), trained, optimizer, seed, batch),
            // Where code is small there is this one way, and tables would keep what nobody calls.
            false if !COMPILED_HERE && cfg!(feature = "small") => {
                self.train_by(OwnPasses::<N>::new(), trained, optimizer, seed, batch)
            }
            false => self.train_any(AnyPasses::of::<N>(), trained, optimizer, seed, &batch.of_any_loss()),
        }
    }

    /// As [`train`](Executor::train), compiled once for all networks, losses and optimisers.
    fn train_any(
        &mut self,
        network: AnyPasses,
        trained: (&mut AlignedBuffer, &mut TrainedSoFar),
        optimizer: &mut dyn Optimizer,
        seed: u64,
        batch: &Batch<dyn Judge + '_>,
    ) -> Result<StepResult, Refusal> {
        match COMPILED_HERE && self.is_plain(batch.samples) {
            true => self.train_plain(network, trained, optimizer, seed, batch),
            false => self.train_by(network, trained, optimizer, seed, batch),
        }
    }

    /// What the rows of some samples come to, as the network predicts.
    pub(super) fn evaluate<N: Network>(&mut self, params: &[f32], batch: &Batch<impl Judge>) -> Result<LossSums, Lost> {
        self.evaluate_any(AnyPasses::of::<N>(), params, &batch.of_any_loss())
    }

    /// As [`evaluate`](Executor::evaluate), compiled once for all networks and losses.
    fn evaluate_any(
        &mut self,
        network: AnyPasses,
        params: &[f32],
        batch: &Batch<dyn Judge + '_>,
    ) -> Result<LossSums, Lost> {
        self.forward_backward(network, params, batch, None)
    }

    /// As [`train_with_by`](Executor::train_with_by): a step by an objective on whole batches.
    ///
    /// # Errors
    /// As there.
    pub(super) fn train_with<N: Network>(
        &mut self,
        model: &mut Model<N>,
        optimizer: &mut impl Optimizer,
        batch: (usize, &[&[f32]]),
        objective: impl FnOnce(&[&[f32]], &mut [&mut [f32]]) -> f64,
    ) -> Result<f64, Refusal> {
        let trained = (&mut model.params, &mut model.run);
        if !COMPILED_HERE {
            return self.train_with_by(OwnPasses::<N>::new(), trained, optimizer, batch, objective);
        }
        let mut objective = Some(objective);
        let mut once = |y: &[&[f32]], dy: &mut [&mut [f32]]| objective.take().map_or(f64::NAN, |ask| ask(y, dy));
        self.train_with_any(AnyPasses::of::<N>(), trained, optimizer, batch, &mut once)
    }

    /// As [`train_with`](Executor::train_with), compiled once for all networks, objectives and optimisers.
    fn train_with_any(
        &mut self,
        network: AnyPasses,
        trained: (&mut AlignedBuffer, &mut TrainedSoFar),
        optimizer: &mut dyn Optimizer,
        batch: (usize, &[&[f32]]),
        objective: &mut AnyObjective,
    ) -> Result<f64, Refusal> {
        self.train_with_by(network, trained, optimizer, batch, objective)
    }

    /// As [`apply_by`](Executor::apply_by): a step by gradients that were computed elsewhere.
    ///
    /// # Errors
    /// As there.
    pub(super) fn apply<N: Network>(
        &mut self,
        model: &mut Model<N>,
        optimizer: &mut impl Optimizer,
        grads: &[f32],
    ) -> Result<(), Refusal> {
        let trained = (&mut model.params, &mut model.run);
        match COMPILED_HERE {
            true => self.apply_any(trained, optimizer, grads),
            false => self.apply_by(trained, optimizer, grads),
        }
    }

    /// As [`apply`](Executor::apply), compiled once for all optimisers.
    fn apply_any(
        &mut self,
        trained: (&mut AlignedBuffer, &mut TrainedSoFar),
        optimizer: &mut dyn Optimizer,
        grads: &[f32],
    ) -> Result<(), Refusal> {
        self.apply_by(trained, optimizer, grads)
    }

    /// As [`train_private_by`](Executor::train_private_by): a private step.
    ///
    /// # Errors
    /// As there.
    #[cfg(feature = "std")]
    pub(super) fn train_private<N: Network>(
        &mut self,
        model: &mut Model<N>,
        optimizer: &mut impl Optimizer,
        run: (u64, usize, usize),
        batch: &Batch<impl Judge>,
    ) -> Result<StepResult, Refusal> {
        let trained = (&mut model.params, &mut model.run);
        match COMPILED_HERE {
            true => self.train_private_any(AnyPasses::of::<N>(), trained, optimizer, run, &batch.of_any_loss()),
            false => self.train_private_by(OwnPasses::<N>::new(), trained, optimizer, run, batch),
        }
    }

    /// As [`train_private`](Executor::train_private), compiled once for all networks, losses and optimisers.
    #[cfg(feature = "std")]
    fn train_private_any(
        &mut self,
        network: AnyPasses,
        trained: (&mut AlignedBuffer, &mut TrainedSoFar),
        optimizer: &mut dyn Optimizer,
        run: (u64, usize, usize),
        batch: &Batch<dyn Judge + '_>,
    ) -> Result<StepResult, Refusal> {
        self.train_private_by(network, trained, optimizer, run, batch)
    }
}
