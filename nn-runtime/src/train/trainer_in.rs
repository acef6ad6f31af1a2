//! A trainer in memory of the caller's. In: samples and targets as slices; out: a changed model and a loss,
//! or an error with nothing changed. It needs no allocator and no operating system, and runs on the thread
//! that asks.

use core::marker::PhantomData;
use core::ops::Range;

use super::Clip;
use super::Values;
use super::batch_outputs::{BatchOutputs, RowWeights, rows_and_width};
use super::batch_pass::{Batch, BatchInputs};
use super::clip::Clipping;
use super::footprint::{MAX_SLOTS, TrainingLens, training_len};
use super::judge::Judge;
use super::lent_engine::LentEngine;
use super::loss_sums::LossSums;
use super::output_loss::{OutputLoss, add_output};
use super::passes::OwnPasses;
use super::schedule::{ConstantRate, Schedule};
use super::scheduled_rate::ScheduledRate;
use super::step_error::StepError;
use super::waiting_grads::WaitingGrads;
use crate::finite::first_not_finite;
use crate::input::{InputError, checked_samples};
use crate::losses::{Fits, LossOn};
use crate::model::{Model, Network, ParamError, TrainedSoFar, write_params};
use crate::optim::Optimizer;
use crate::predictor::predict_into;
use crate::storage::{LengthError, Storage};
use crate::{MAX_OUTPUTS, Shape};
use nn_kernels::simd::Isa;

/// Trains a model step by step in memory of the caller's, without an allocator: what `Trainer::new_in` makes.
/// The same steps as a [`Trainer`](super::Trainer) takes of the same batches, to the same bits.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! { pub struct Line: [1] -> [1] { Dense(1) } }
///
/// // `static`s, on a microcontroller; Adam keeps two numbers of each parameter.
/// let (mut params, mut memory) = ([0.0; Line::PARAMS_LEN], [0.0; Line::train_len(4, 2)]);
/// let mut model = Line::init_in(0, &mut params)?;
/// let mut trainer = Trainer::new_in(&mut memory, 4, &mut model, Mse::new(), Adam::new(0.1))?;
/// let (x, y) = ([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 5.0, 7.0]);
/// let mut loss = 0.0;
/// for _ in 0..200 {
///     loss = trainer.step(&[&x], &y)?;
/// }
/// assert!(loss < 1e-2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TrainerIn<'m, N, L, O, S = ConstantRate> {
    pub(super) params: &'m mut [f32],
    run: &'m mut TrainedSoFar,
    loss: L,
    pub(super) optimizer: O,
    pub(super) schedule: S,
    pub(super) engine: LentEngine<'m>,
    network: PhantomData<fn() -> N>,
}

impl<'m, N: Network, L, O: Optimizer> TrainerIn<'m, N, L, O> {
    /// A trainer with fresh optimiser state, for batches of up to this many samples. `memory` holds
    /// `Net::train_len(batch, slots)` numbers at least, with arbitrary contents, where the optimiser keeps
    /// `slots` numbers of each parameter: 0 for `Sgd`, 1 with momentum, 2 for `Adam` and `AdamW`. For
    /// [`step_with`](TrainerIn::step_with) it is `Net::train_whole_len(batch, slots)`.
    ///
    /// # Errors
    /// There is too little memory, or `batch` is 0.
    ///
    /// # Panics
    /// `optimizer.slots() > 4`
    pub fn new_in<S: Storage>(
        memory: &'m mut [f32],
        batch: usize,
        model: &'m mut Model<N, S>,
        loss: L,
        optimizer: O,
    ) -> Result<Self, LengthError>
    where
        L: Fits<N::Head>,
    {
        Self::new_in_on(memory, batch, model, loss, optimizer, Isa::detect())
    }

    /// [`new_in`](TrainerIn::new_in) with an instruction set of choice.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    pub fn new_in_on<S: Storage>(
        memory: &'m mut [f32],
        batch: usize,
        model: &'m mut Model<N, S>,
        loss: L,
        optimizer: O,
        isa: Isa,
    ) -> Result<Self, LengthError>
    where
        L: Fits<N::Head>,
    {
        let (map, slots) = (N::COMPILED, optimizer.slots());
        assert!(slots <= MAX_SLOTS, "expected an optimiser with at most 4 floats of state per parameter");
        let needed = training_len(map, batch, slots, false);
        if batch == 0 || memory.len() < needed {
            return Err(LengthError::training(map, (batch, slots, false), needed, memory.len()));
        }
        let engine = LentEngine::new(map, &optimizer, batch, memory, isa);
        let (params, run) = (&mut *model.params, &mut model.run);
        Ok(TrainerIn { params, run, loss, optimizer, schedule: ConstantRate, engine, network: PhantomData })
    }
}

impl<'m, N: Network, L, O: Optimizer, S: Schedule> TrainerIn<'m, N, L, O, S> {
    /// Limits the gradients of every step; see [`Clip`]. A second call replaces the first.
    pub fn clip(mut self, clip: Clip) -> Self {
        self.engine.clip = Some(Clipping::by(clip));
        self
    }

    /// Changes the rate with the steps; see [`schedule`](super::schedule). The optimiser's own rate is what
    /// the schedule starts from. A second call replaces the first.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Line: [1] -> [1] { Dense(1) } }
    ///
    /// let (mut params, mut memory) = ([0.0; Line::PARAMS_LEN], [0.0; Line::train_len(1, 2)]);
    /// let mut model = Line::init_in(0, &mut params)?;
    /// let trainer = Trainer::new_in(&mut memory, 1, &mut model, Mse::new(), Adam::new(0.5))?;
    /// let mut trainer = trainer.schedule(Warmup::new(10).start(0.0).then(Cosine::new(90)));
    /// for _ in 0..5 {
    ///     trainer.step(&[&[1.0]], &[2.0])?;
    /// }
    /// assert_eq!(trainer.learning_rate(), 0.25);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn schedule<R: Schedule>(self, schedule: R) -> TrainerIn<'m, N, L, O, R> {
        let TrainerIn { params, run, loss, optimizer, engine, network, .. } = self;
        TrainerIn { params, run, loss, optimizer, schedule, engine, network }
    }

    /// The rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        self.schedule.rate(self.optimizer.learning_rate(), self.engine.steps)
    }

    /// Begins anew with these parameters, which [`Model::read_params`] writes: the optimiser remembers
    /// nothing, and the next step is the first.
    ///
    /// # Errors
    /// As [`Model::write_params`]; nothing has changed then.
    pub fn restart(&mut self, params: &[f32]) -> Result<(), ParamError> {
        write_params(N::COMPILED, params, self.params)?;
        *self.run = TrainedSoFar::default();
        self.engine.restart(&self.optimizer);
        Ok(())
    }

    /// The optimiser, to change its rate between steps.
    pub fn optimizer(&mut self) -> &mut O {
        &mut self.optimizer
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.engine.steps
    }

    /// All parameters as trained so far, as [`Model::as_params`] gives them.
    pub fn as_params(&self) -> &[f32] {
        self.params
    }

    /// Takes one step on whole samples, one slice for each input, and their targets: labels (`u32`) or
    /// numbers, as the loss reads them. Returns the mean loss before it.
    ///
    /// # Errors
    /// Slices that are not whole samples of the network's inputs, none, or more than there is memory for; a
    /// number or a target that is not one; settings out of range; a loss, a gradient or a new parameter that
    /// is not finite. Nothing has changed then.
    pub fn step<T: Sync>(&mut self, x: &[&[f32]], targets: &[T]) -> Result<f64, StepError>
    where
        L: LossOn<[T]>,
    {
        self.run_batch(x, targets, None)
    }

    /// Takes a step on a batch, or adds its gradients to those that wait.
    pub(super) fn run_batch<T: Sync>(
        &mut self,
        x: &[&[f32]],
        targets: &[T],
        waiting: Option<&mut WaitingGrads>,
    ) -> Result<f64, StepError>
    where
        L: LossOn<[T]>,
    {
        let map = N::COMPILED;
        let samples = self.check(x)?;
        let (rows, width) = rows_and_width(&map.outputs[0]);
        let per = targets.len() / samples;
        if per == 0 || per * samples != targets.len() || !per.is_multiple_of(rows) {
            return Err(StepError::targets(map, samples, targets.len()));
        }
        let fault = match L::WHOLE {
            true => targets
                .chunks_exact(per)
                .enumerate()
                .find_map(|(sample, targets)| self.loss.fault(width, targets, rows).map(|(_, fault)| (sample, fault))),
            false => self.loss.fault(width, targets, samples * rows).map(|(row, fault)| (row / rows, fault)),
        };
        if let Some((sample, fault)) = fault {
            return Err(StepError::target(map, sample, fault));
        }
        let judge = LossOfSlice { loss: &self.loss, targets, per };
        let batch = Batch { samples, x: BatchInputs::Slices(x), first: 0, skipped: 0, judge: &judge, weights: None };
        let scheduled = ScheduledRate::of_step(&self.schedule, &mut self.optimizer, self.engine.steps);
        let trained = (&mut *self.params, &mut *self.run);
        let result = self.engine.train(OwnPasses::<N>::new(), trained, scheduled.optimizer(), &batch, waiting);
        result.map_err(|refusal| StepError::refused(map, self.engine.steps + 1, refusal))
    }

    /// Takes one step by an objective of one's own, as `Trainer::step_with` does: `objective` is shown one
    /// slice for each output, `[samples, …]`, and one of zeros for each output's gradient, in which it writes
    /// the derivatives of what it returns. The trainer's loss has no part in it; `()` is one.
    ///
    /// # Errors
    /// As [`step`](TrainerIn::step); memory of fewer than `Net::train_whole_len(samples, slots)` numbers, as
    /// the workspace of all samples is there at once.
    pub fn step_with(
        &mut self,
        x: &[&[f32]],
        objective: impl FnOnce(&[&[f32]], &mut [&mut [f32]]) -> f64,
    ) -> Result<f64, StepError> {
        let map = N::COMPILED;
        let samples = self.check(x)?;
        let slots = self.engine.slot_count;
        let (lens, work) = (TrainingLens::new(map, self.engine.batch, slots), self.engine.work_len());
        let needed = samples.saturating_mul(map.train.work);
        if work < needed {
            let [found, needed] = [work, needed].map(|work| lens.without_work().saturating_add(work));
            return Err(StepError::memory(map, LengthError::training(map, (samples, slots, true), needed, found)));
        }
        let scheduled = ScheduledRate::of_step(&self.schedule, &mut self.optimizer, self.engine.steps);
        let (trained, using) = ((&mut *self.params, &mut *self.run), scheduled.optimizer());
        let result = self.engine.train_with(OwnPasses::<N>::new(), trained, using, (samples, x), objective);
        result.map_err(|refusal| StepError::refused(map, self.engine.steps + 1, refusal))
    }

    /// What the model as trained so far predicts, `[samples, …]` row-major: one slice for each input and each
    /// output, however many samples there are.
    ///
    /// # Errors
    /// As [`Predictor::predict_into`](crate::Predictor::predict_into).
    pub fn predict_into(&mut self, x: &[&[f32]], y: &mut [&mut [f32]]) -> Result<(), InputError> {
        let (isa, batch) = (self.engine.isa, self.engine.batch);
        predict_into::<N>(self.params, isa, batch, None, self.engine.scratch(), x, y)
    }

    /// Whether a step can be taken with the settings there are.
    pub(super) fn check_settings(&self) -> Result<(), StepError> {
        let map = N::COMPILED;
        self.optimizer.check().map_err(|fault| StepError::setting(map, fault))?;
        self.schedule.check().map_err(|fault| StepError::setting(map, fault))?;
        if self.optimizer.per_tensor() {
            let fault = "expected an optimiser that changes each number by itself, found one that needs whole tensors\n\
                help: `Adam::new(1e-3)`, or a trainer that allocates: `Trainer::new`";
            return Err(StepError::setting(map, fault.into()));
        }
        if self.optimizer.slots() != self.engine.slot_count {
            let fault = "expected an optimiser that remembers as many numbers of each parameter as the one the trainer \
                began with\nhelp: make a new trainer";
            return Err(StepError::setting(map, fault.into()));
        }
        if let Some(Clipping { clip, check, .. }) = self.engine.clip {
            check(clip).map_err(|fault| StepError::setting(map, fault))?;
        }
        Ok(())
    }

    /// How many samples these are, if a step can be taken on them.
    fn check(&self, x: &[&[f32]]) -> Result<usize, StepError> {
        let map = N::COMPILED;
        self.check_settings()?;
        let samples = checked_samples(map, x).map_err(|error| StepError::input(map, error))?;
        if samples == 0 || samples > self.engine.batch {
            return Err(StepError::samples(map, self.engine.batch, samples));
        }
        for (k, (x, shape)) in x.iter().zip(map.inputs).enumerate() {
            if let Some(at) = first_not_finite(x) {
                return Err(StepError::number(map, (at / shape.len(), k, at % shape.len())));
            }
        }
        Ok(samples)
    }
}

/// A loss and the targets of a batch.
struct LossOfSlice<'a, L, T> {
    loss: &'a L,
    targets: &'a [T],
    /// Of each sample.
    per: usize,
}

impl<T, L> LossOfSlice<'_, L, T> {
    fn output(&self) -> OutputLoss<'_, L, T> {
        OutputLoss { loss: self.loss, targets: self.targets, per: self.per, output: 0 }
    }
}

impl<T: Sync, L: LossOn<[T]>> Judge for LossOfSlice<'_, L, T> {
    fn logits(&self) -> u8 {
        u8::from(L::LOGITS)
    }

    fn weight(&self, samples: Range<usize>, shapes: &[Shape], weights: Option<&Values>) -> [f64; MAX_OUTPUTS] {
        let mut all = [0.0; MAX_OUTPUTS];
        all[0] = RowWeights { samples, rows: rows_and_width(&shapes[0]).0, weights, whole: L::WHOLE }.sum();
        all
    }

    fn gradient(
        &self,
        outputs: &BatchOutputs,
        scale: [f64; MAX_OUTPUTS],
        dy: &mut [&mut [f32]; MAX_OUTPUTS],
        sums: &mut LossSums,
    ) {
        *sums = LossSums::default();
        add_output::<T, L, false>(self.output(), outputs, Some((scale[0], &mut *dy[0])), sums);
    }

    #[cfg(feature = "alloc")]
    fn value(&self, outputs: &BatchOutputs, sums: &mut LossSums) {
        *sums = LossSums::default();
        add_output::<T, L, false>(self.output(), outputs, None, sums);
    }
}
