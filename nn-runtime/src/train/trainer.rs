//! The trainer: a model, a loss and an optimiser, and the loop over them. In: data sets; out: a trained
//! model, a history. Data is checked before the model is touched; what diverges is undone.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::checks::{check_data, has_weight, inputs, learns, no_weight, nothing_learns};
use super::epoch_sums::EpochSums;
use super::executor::{Executor, StepResult};
use super::objective::Objective;
use super::refusal::Refusal;
use super::shard::{Batch, BatchInputs};
use super::snapshot::{Snapshot, Snapshots};
use super::split::samples_of_epoch;
use super::update_state::MAX_SLOTS;
use super::{Epoch, Evaluation, Fit, History, NonFinite, TrainError};
use crate::data::{Dataset, Targets};
use crate::graph::MAX_INPUTS;
use crate::losses::Fits;
use crate::model::{Model, Network};
use crate::optim::Optimizer;
use crate::random::Random;
use nn_kernels::simd::Isa;

/// Trains a model by gradient descent.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Line: [1] -> [1] { Dense(1) }
/// }
/// let mut model = Line::init(0);
/// let data = Dataset::values((&[0.0, 1.0, 2.0, 3.0][..], 1), (&[1.0, 3.0, 5.0, 7.0][..], 1)).unwrap();
/// let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
/// let history = trainer.fit(&data, Fit::epochs(200).batch(4)).unwrap();
/// assert!(history.last().unwrap().train.loss < 1e-4);
/// ```
pub struct Trainer<'m, N, L, O> {
    pub(super) model: &'m mut Model<N>,
    loss: L,
    pub(super) optimizer: O,
    pub(super) executor: Executor,
    /// What a setting was refused for, told when training begins.
    pub(super) fault: Option<String>,
    /// Whether the settings have been checked as they are.
    pub(super) checked: bool,
    /// Whether there is something to train.
    learns: bool,
}

// That the loss fits is asked where a trainer is made and nowhere else, so that it is told once.
impl<'m, N: Network, L, O: Optimizer> Trainer<'m, N, L, O> {
    /// A trainer with fresh optimiser state. A loss that does not fit what the network ends in does not
    /// compile.
    ///
    /// # Panics
    /// `optimizer.slots() > 4`
    pub fn new(model: &'m mut Model<N>, loss: L, optimizer: O) -> Self
    where
        L: Fits<N::Head>,
    {
        Self::new_on(model, loss, optimizer, Isa::detect())
    }

    /// [`new`](Trainer::new) with an instruction set of choice.
    ///
    /// # Panics
    /// `optimizer.slots() > 4`
    pub fn new_on(model: &'m mut Model<N>, loss: L, optimizer: O, isa: Isa) -> Self
    where
        L: Fits<N::Head>,
    {
        assert!(optimizer.slots() <= MAX_SLOTS, "expected an optimiser with at most 4 floats of state per parameter");
        let executor = Executor::new::<N>(&optimizer, isa);
        Trainer { model, loss, optimizer, executor, fault: None, checked: false, learns: learns::<N>() }
    }

    /// The model, as trained so far.
    pub fn model(&self) -> &Model<N> {
        self.model
    }

    /// The optimiser, to change its own rate between steps. A schedule starts from that rate and leaves it as
    /// it is.
    pub fn optimizer(&mut self) -> &mut O {
        self.checked = false;
        &mut self.optimizer
    }

    /// Takes one step on all samples of `batch` and returns their mean loss before it, weighted if they are;
    /// where all weights are 0 it does nothing and returns 0. What `fit` does for each batch; after the first
    /// step of this size it allocates nothing. With [`accumulate`](Trainer::accumulate) it is every so many
    /// calls that change the parameters.
    ///
    /// # Errors
    /// As [`fit`](Trainer::fit); a loss, a gradient or a new parameter that is infinite or NaN. Nothing has
    /// changed then: neither parameters, nor statistics, nor what optimiser and trainer remember.
    pub fn step<T: Targets>(&mut self, batch: &Dataset<T>) -> Result<f64, TrainError>
    where
        L: Objective<T>,
    {
        self.check_trains(batch)?;
        self.executor.reserve::<N>(batch.len(), &self.optimizer);
        let x = inputs(batch);
        match self.one(BatchInputs::Slices(&x[..batch.inputs().len()]), batch, 0) {
            Ok(result) => Ok(result.loss()),
            Err(refusal) => {
                let step = self.executor.update.state.steps + 1;
                Err(TrainError::NotFinite { step, found: refusal.named(N::COMPILED) })
            }
        }
    }

    /// Takes a batch, of which `answers` holds the targets and weights.
    fn one<T: Targets>(&mut self, x: BatchInputs, answers: &Dataset<T>, seed: u64) -> Result<StepResult, Refusal>
    where
        L: Objective<T>,
    {
        let (samples, targets, weights) = (answers.len(), answers.targets(), answers.weights());
        let given = Batch { samples, x, first: 0, targets, weights };
        self.executor.train::<N, _>(self.model, &self.loss, &mut self.optimizer, seed, &given)
    }

    /// Trains on all samples, `fit.epochs` times, and tells what each epoch was like.
    ///
    /// The order of samples is keyed by `fit.seed` and by how many epochs the model has been trained before,
    /// training noise (dropout) by the seed and how many batches: `k` calls with one epoch each are the same
    /// run, bit for bit, as one call with `k` epochs. Both counts go with the model and its copies, not with
    /// the trainer; a model that is loaded from a file begins anew.
    ///
    /// Beside the model it keeps up to three copies of the parameters and of what the optimiser remembers: of
    /// the beginning, of the best epoch, and of the last one where nothing is validated.
    ///
    /// # Errors
    /// Data without samples, with NaN or infinity, with labels the network has no class for, or of another
    /// width than the network, or without a sample of a weight above 0; a network with nothing to train;
    /// settings out of range. The model is unchanged then. What no row of a weight above 0 needs is not
    /// looked at.
    ///
    /// A loss, gradient, parameter or validation loss that becomes infinite or NaN stops training
    /// ([`TrainError::Diverged`]), and what is put back is the best model so far.
    pub fn fit<T: Targets>(&mut self, train: &Dataset<T>, fit: Fit<T>) -> Result<History, TrainError>
    where
        L: Objective<T>,
    {
        fit.check()?;
        self.check_trains(train)?;
        if !has_weight::<N, T>(&self.loss, train) {
            return Err(no_weight());
        }
        if let Some(validation) = fit.validate {
            self.check(validation)?;
        }
        // Of what has no weight there is no mean: nothing is validated.
        let validate = fit.validate.filter(|data| has_weight::<N, T>(&self.loss, data));
        self.executor.reserve::<N>(fit.batch.min(train.len()), &self.optimizer);
        self.executor.update.drop_accumulated();

        let mut history = History::default();
        let mut batch = train.select(&[]);
        let mut snapshots = Snapshots::new(Snapshot::of(0, self.model, &self.executor.update));
        let steps = samples_of_epoch(N::COMPILED, train.len(), fit.batch).div_ceil(fit.batch);
        let bar = if fit.progress { progress(steps) } else { ProgressBar::hidden() };
        for number in 1..=fit.epochs {
            if fit.progress {
                bar.set_prefix(format!("epoch {number}/{}", fit.epochs));
                bar.set_position(0);
            }
            let begun = Instant::now();
            let ended = self.epoch(train, &fit, &mut batch, &bar).and_then(|sums| {
                let time = begun.elapsed();
                let validation = validate.map(|data| self.evaluate_checked(data));
                // Where nothing else tells what the last step has come to, a batch does.
                let last = match validation {
                    Some(validation) => validation.loss,
                    None if number == fit.epochs => self.loss_again(train, &fit, &batch),
                    None => 0.0,
                };
                match last.is_finite() {
                    true => Ok(Epoch { number, train: sums.evaluation(), validation, time }),
                    false if validation.is_some() => Err((steps, NonFinite::Validation)),
                    false => Err((steps, NonFinite::Loss)),
                }
            });
            let epoch = match ended {
                Ok(epoch) => epoch,
                Err((step, found)) => {
                    bar.finish_and_clear();
                    let data = validate.unwrap_or(train);
                    let (best, loss) = snapshots.best(|snapshot| {
                        snapshot.restore(self.model, &mut self.executor.update);
                        self.evaluate_checked(data).loss
                    });
                    best.restore(self.model, &mut self.executor.update);
                    return Err(TrainError::Diverged { epoch: number, step, found, kept: best.epoch, loss, history });
                }
            };
            self.model.run.epochs += 1;
            let validation = epoch.validation.map(|validation| validation.loss);
            self.executor.update.state.schedule.epoch(validation.unwrap_or(epoch.train.loss));
            if fit.progress {
                bar.println(epoch.to_string());
            }
            if number < fit.epochs {
                snapshots
                    .epoch(epoch.train.loss, validation, || Snapshot::of(number, self.model, &self.executor.update));
            }
            history.epochs.push(epoch);
        }
        bar.finish_and_clear();
        Ok(history)
    }

    /// The samples in the order of the epoch that comes next.
    fn order(&self, samples: usize, seed: u64, shuffle: bool) -> Vec<usize> {
        order(samples, shuffle.then(|| Random::keyed(seed, &[self.model.run.epochs + 1])))
    }

    /// Trains on all samples once; in `batch` it leaves the targets of the last ones. Stops at a step that
    /// comes to what is not finite.
    fn epoch<T: Targets>(
        &mut self,
        train: &Dataset<T>,
        fit: &Fit<T>,
        batch: &mut Dataset<T>,
        bar: &ProgressBar,
    ) -> Result<EpochSums, (usize, NonFinite)>
    where
        L: Objective<T>,
    {
        let order = self.order(train.len(), fit.seed, fit.shuffle);
        let order = &order[..samples_of_epoch(N::COMPILED, train.len(), fit.batch)];
        let steps = order.len().div_ceil(fit.batch);
        let mut sums = EpochSums::default();
        let stopped = |step, refusal: Refusal| (step, refusal.named(N::COMPILED));
        for (step, indices) in order.chunks(fit.batch).enumerate() {
            train.select_targets_into(indices, batch);
            let result = self.one(BatchInputs::Indexed(train.inputs(), indices), batch, fit.seed);
            sums.add(&result.map_err(|refusal| stopped(step + 1, refusal))?, indices.len());
            if fit.progress {
                bar.set_position(step as u64 + 1);
                bar.set_message(sums.evaluation().to_string());
            }
        }
        // What does not fill a step makes one all the same.
        let flushed = self.executor.flush(&mut self.model.params, &mut self.optimizer);
        flushed.map_err(|refusal| stopped(steps, refusal))?;
        Ok(sums)
    }

    /// The loss of the last batch of the epoch, with the parameters as they are after it.
    fn loss_again<T: Targets>(&mut self, train: &Dataset<T>, fit: &Fit<T>, batch: &Dataset<T>) -> f64
    where
        L: Objective<T>,
    {
        let order = self.order(train.len(), fit.seed, fit.shuffle);
        let x = BatchInputs::Indexed(train.inputs(), &order[order.len() - batch.len()..]);
        let (samples, targets, weights) = (batch.len(), batch.targets(), batch.weights());
        let given = Batch { samples, x, first: 0, targets, weights };
        self.executor.evaluate::<N, _>(&self.model.params, &self.loss, &given).mean()
    }

    /// Whether the settings are in range, and the data is what the network and the loss take.
    fn check<T: Targets>(&mut self, data: &Dataset<T>) -> Result<(), TrainError>
    where
        L: Objective<T>,
    {
        if !self.checked {
            self.optimizer.check().map_err(TrainError::setting)?;
            self.check_settings().map_err(TrainError::setting)?;
            self.checked = true;
        }
        check_data::<N, T>(&self.loss, data)
    }

    /// As [`check`](Trainer::check), and whether there is anything to train.
    fn check_trains<T: Targets>(&mut self, data: &Dataset<T>) -> Result<(), TrainError>
    where
        L: Objective<T>,
    {
        if !self.learns {
            return Err(nothing_learns::<N>());
        }
        self.check(data)
    }

    /// How the model does on these samples, as it predicts: without dropout or other training noise.
    /// What regularisers add is part of the loss, as in Keras.
    ///
    /// # Errors
    /// As [`fit`](Trainer::fit); but there need be nothing to train, and a loss that is not finite is one.
    pub fn evaluate<T: Targets>(&mut self, data: &Dataset<T>) -> Result<Evaluation, TrainError>
    where
        L: Objective<T>,
    {
        self.check(data)?;
        match has_weight::<N, T>(&self.loss, data) {
            true => Ok(self.evaluate_checked(data)),
            false => Err(no_weight()),
        }
    }

    fn evaluate_checked<T: Targets>(&mut self, data: &Dataset<T>) -> Evaluation
    where
        L: Objective<T>,
    {
        const BATCH: usize = 256;
        self.executor.reserve::<N>(BATCH.min(data.len()), &self.optimizer);
        let mut sums = EpochSums::default();
        let regularization = self.executor.update.regularization(self.executor.isa, &self.model.params);
        let all = inputs(data);
        let mut from = 0;
        while from < data.len() {
            let batch = BATCH.min(data.len() - from);
            let mut x = [&[][..]; MAX_INPUTS];
            for ((x, all), values) in x.iter_mut().zip(all).zip(data.inputs()) {
                *x = &all[from * values.width()..][..batch * values.width()];
            }
            let x = BatchInputs::Slices(&x[..data.inputs().len()]);
            let given = Batch { samples: batch, x, first: from, targets: data.targets(), weights: data.weights() };
            let batch_sums = self.executor.evaluate::<N, _>(&self.model.params, &self.loss, &given);
            sums.add(&StepResult { sums: batch_sums, regularization }, batch);
            from += batch;
        }
        sums.evaluation()
    }
}

/// All samples, shuffled where there is something to shuffle by.
#[inline(never)]
fn order(samples: usize, random: Option<Random>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..samples).collect();
    if let Some(mut random) = random {
        random.shuffle(&mut order);
    }
    order
}

fn progress(steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg}").expect("a valid template");
    ProgressBar::new(steps as u64).with_style(style)
}
