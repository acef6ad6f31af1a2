//! The trainer: a model, a loss and an optimiser, and the loop over them. In: data sets; out: a trained
//! model, a history. Data is checked before the model is touched; what diverges is undone.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::executor::{Executor, StepResult};
use super::loss_sums::LossSums;
use super::objective::Objective;
use super::shard::{Batch, BatchInputs};
use super::snapshot::Snapshot;
use super::update::MAX_SLOTS;
use super::{Epoch, Evaluation, Fit, History, TrainError};
use crate::data::{Dataset, Targets};
use crate::graph::MAX_INPUTS;
use crate::ids;
use crate::losses::Fits;
use crate::model::Model;
use crate::network::Network;
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
}

impl<'m, N: Network, L: Fits<N::Head>, O: Optimizer> Trainer<'m, N, L, O> {
    /// A trainer with fresh optimiser state. A loss that does not fit what the network ends in does not
    /// compile.
    ///
    /// # Panics
    /// `optimizer.slots() > 4`
    pub fn new(model: &'m mut Model<N>, loss: L, optimizer: O) -> Self {
        Self::new_on(model, loss, optimizer, Isa::detect())
    }

    /// [`new`](Trainer::new) with an instruction set of choice.
    ///
    /// # Panics
    /// `optimizer.slots() > 4`
    pub fn new_on(model: &'m mut Model<N>, loss: L, optimizer: O, isa: Isa) -> Self {
        assert!(optimizer.slots() <= MAX_SLOTS, "expected an optimiser with at most 4 floats of state per parameter");
        let executor = Executor::new::<N>(&optimizer, isa);
        Trainer { model, loss, optimizer, executor, fault: None, checked: false }
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
    /// As [`fit`](Trainer::fit); a loss that is not finite changes nothing.
    pub fn step<T: Targets>(&mut self, batch: &Dataset<T>) -> Result<f64, TrainError>
    where
        L: Objective<T>,
    {
        self.check(batch)?;
        self.executor.reserve::<N>(batch.len(), &self.optimizer);
        let x = inputs(batch);
        let loss = self.one(BatchInputs::Slices(&x[..batch.inputs().len()]), batch, 0).loss();
        match loss.is_finite() {
            true => Ok(loss),
            false => Err(TrainError::NotFinite { step: self.executor.update.state.steps + 1 }),
        }
    }

    /// Takes a batch, of which `answers` holds the targets and weights.
    fn one<T: Targets>(&mut self, x: BatchInputs, answers: &Dataset<T>, seed: u64) -> StepResult
    where
        L: Objective<T>,
    {
        let (samples, targets, weights) = (answers.len(), answers.targets(), answers.weights());
        let given = Batch { samples, x, first: 0, targets, weights };
        self.executor.train::<N, _>(&mut self.model.params, &self.loss, &mut self.optimizer, seed, &given)
    }

    /// Trains on all samples, `fit.epochs` times, and tells what each epoch was like.
    ///
    /// # Errors
    /// Data without samples, with NaN or infinity, with labels the network has no class for, or of another
    /// width than the network; settings out of range. The model is unchanged then. A loss that becomes
    /// infinite or NaN stops training, and the parameters go back to the last epoch that was finite.
    pub fn fit<T: Targets>(&mut self, train: &Dataset<T>, fit: Fit<T>) -> Result<History, TrainError>
    where
        L: Objective<T>,
    {
        fit.check()?;
        self.check(train)?;
        if let Some(validation) = fit.validate {
            self.check(validation)?;
        }
        self.executor.reserve::<N>(fit.batch.min(train.len()), &self.optimizer);
        self.executor.update.drop_accumulated();

        let mut history = History::default();
        let mut order: Vec<usize> = (0..train.len()).collect();
        let mut batch = train.select(&[]);
        let mut good = Snapshot::of(self, 0);
        let steps = train.len().div_ceil(fit.batch);
        let bar = if fit.progress { progress(steps) } else { ProgressBar::hidden() };
        for number in 1..=fit.epochs {
            if fit.shuffle {
                Random::keyed(fit.seed, &[number as u64]).shuffle(&mut order);
            }
            if fit.progress {
                bar.set_prefix(format!("epoch {number}/{}", fit.epochs));
                bar.set_position(0);
            }
            let begun = Instant::now();
            let mut sums = EpochSums::default();
            for (step, indices) in order.chunks(fit.batch).enumerate() {
                train.select_targets_into(indices, &mut batch);
                let result = self.one(BatchInputs::Indexed(train.inputs(), indices), &batch, fit.seed);
                if !result.loss().is_finite() {
                    bar.finish_and_clear();
                    return Err(good.restore(self, number, step + 1));
                }
                sums.add(&result, indices.len());
                if fit.progress {
                    bar.set_position(step as u64 + 1);
                    bar.set_message(sums.evaluation().to_string());
                }
            }
            // What does not fill a step makes one all the same.
            self.executor.flush(&mut self.model.params, &mut self.optimizer);
            if !self.model.params.iter().all(|p| p.is_finite()) {
                bar.finish_and_clear();
                return Err(good.restore(self, number, steps));
            }
            let time = begun.elapsed();
            let validation = fit.validate.map(|data| self.evaluate_checked(data));
            self.executor.update.state.schedule.epoch(validation.unwrap_or(sums.evaluation()).loss);
            let epoch = Epoch { number, train: sums.evaluation(), validation, time };
            if fit.progress {
                bar.println(epoch.to_string());
            }
            history.epochs.push(epoch);
            if number < fit.epochs {
                good.renew(self, number);
            }
        }
        bar.finish_and_clear();
        Ok(history)
    }

    /// How the model does on these samples, as it predicts: without dropout or other training noise.
    /// Penalties on parameters are part of the loss, as in Keras.
    ///
    /// # Errors
    /// As [`fit`](Trainer::fit).
    pub fn evaluate<T: Targets>(&mut self, data: &Dataset<T>) -> Result<Evaluation, TrainError>
    where
        L: Objective<T>,
    {
        self.check(data)?;
        Ok(self.evaluate_checked(data))
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

    /// Whether the data can be trained on.
    fn check<T: Targets>(&mut self, data: &Dataset<T>) -> Result<(), TrainError>
    where
        L: Objective<T>,
    {
        if !self.checked {
            self.optimizer.check().map_err(TrainError::setting)?;
            self.check_settings().map_err(TrainError::setting)?;
            self.checked = true;
        }
        if data.is_empty() {
            return Err(TrainError::setting(
                "expected at least 1 sample, found none\nhelp: check what the data set was made from",
            ));
        }
        let shapes = N::COMPILED.inputs;
        if data.inputs().len() != shapes.len() {
            let (expected, found) = (shapes.len(), data.inputs().len());
            let help = match found < expected {
                true => "add inputs with `Dataset::with_input`",
                false => "make the data set without the inputs that the network does not declare",
            };
            return Err(TrainError::setting(format!(
                "expected {expected} input{} per sample, as `{}` declares, found {found}\nhelp: {help}",
                if expected == 1 { "" } else { "s" },
                N::COMPILED.name,
            )));
        }
        for (k, (values, shape)) in data.inputs().iter().zip(shapes).enumerate() {
            if values.width() != shape.len() {
                return Err(TrainError::setting(format!(
                    "expected {} numbers per sample for input {k} of `{}`, which is {shape}, found {}\nhelp: change the data, or the declaration",
                    shape.len(),
                    N::COMPILED.name,
                    values.width()
                )));
            }
        }
        data.check()?;
        if let Some(fault) = ids::fault(N::COMPILED, &inputs(data), |k| shapes[k].len()) {
            return Err(TrainError::setting(fault));
        }
        if let Some(fault) = self.loss.fault(N::COMPILED.outputs, data.targets(), data.weights()) {
            let help =
                if fault.contains("help: ") { "" } else { "\nhelp: change the targets, or the network's last layer" };
            return Err(TrainError::setting(format!("{fault}{help}")));
        }
        Ok(())
    }
}

/// The inputs of all samples, one slice for each input of the network.
fn inputs<T: Targets>(data: &Dataset<T>) -> [&[f32]; MAX_INPUTS] {
    let mut x = [&[][..]; MAX_INPUTS];
    for (x, values) in x.iter_mut().zip(data.inputs()) {
        *x = values.as_slice();
    }
    x
}

/// Sums over batches.
#[derive(Default)]
struct EpochSums {
    sums: LossSums,
    /// Of each sample what regularisers added when it was trained on.
    regularization: f64,
    samples: usize,
}

impl EpochSums {
    fn add(&mut self, result: &StepResult, samples: usize) {
        self.sums.add(&result.sums);
        self.regularization += result.regularization * samples as f64;
        self.samples += samples;
    }

    fn evaluation(&self) -> Evaluation {
        let regularization = self.regularization / self.samples.max(1) as f64;
        let accuracy = self.sums.accuracy.accuracy();
        Evaluation { loss: self.sums.mean() + regularization, accuracy, samples: self.samples }
    }
}

fn progress(steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg}").expect("a valid template");
    ProgressBar::new(steps as u64).with_style(style)
}
