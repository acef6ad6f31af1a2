//! The loop over epochs and batches. In: data, and how to train; out: a trained model, a history. Data is
//! checked before the model is touched; what diverges is undone.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use std::vec::Vec;

use indicatif::{ProgressBar, ProgressStyle};

use super::batch_outputs::BatchOutputs;
use super::batch_pass::{Batch, BatchInputs};
use super::checkpoint_file::slot_names;
use super::checkpoint_writer::Writer;
use super::checks::{has_weight, no_weight};
use super::epoch_sums::EpochSums;
use super::fit_state::FitState;
use super::objective::Objective;
use super::refusal::Refusal;
use super::resume::fit_settings;
use super::snapshot::{Snapshot, Snapshots};
use super::split::samples_of_epoch;
use super::{Ended, Epoch, Evaluation, Fit, History, NonFinite, StepReport, TrainError, Trainer};
use crate::data::{Dataset, Targets};
use crate::losses::Loss;
use crate::model::Network;
use crate::optim::Optimizer;
use crate::random::Random;

/// What ends an epoch before its time.
enum Broken {
    /// A step came to what is not finite.
    NotFinite(usize, NonFinite),
    Other(TrainError),
}

impl<N: Network, L: Loss, O: Optimizer> Trainer<'_, N, L, O> {
    /// Trains on all samples, `fit.epochs` times, and tells what each epoch was like.
    ///
    /// The order of samples is keyed by `fit.seed` and by how many epochs the model has been trained before,
    /// training noise (dropout) by the seed and how many batches: `k` calls with one epoch each are the same
    /// run, bit for bit, as one call with `k` epochs. Both counts go with the model and its copies, not with
    /// the trainer; a model that is loaded from a file begins anew. After [`resume`](Trainer::resume) it goes
    /// on where the file was written.
    ///
    /// Beside the model it keeps up to three copies of the parameters and of what the optimiser remembers: of
    /// the beginning, of the best epoch, and of the last one where nothing is validated.
    ///
    /// # Errors
    /// Data without samples, with NaN or infinity, with labels the network has no class for, or of another
    /// width than the network, or without a sample of a weight above 0; a network with nothing to train;
    /// settings out of range; metrics that do not fit; a resumed run of other settings. The model is
    /// unchanged then. What no row of a weight above 0 needs is not looked at.
    ///
    /// A loss, gradient, parameter or validation loss that becomes infinite or NaN stops training
    /// ([`TrainError::Diverged`]), and what is put back is the best model so far. A checkpoint that cannot be
    /// written stops it too ([`TrainError::Checkpoint`]); the model is as trained so far.
    pub fn fit<T: Targets>(&mut self, train: &Dataset<T>, mut fit: Fit<'_, T, N>) -> Result<History, TrainError>
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
        if let Some(metrics) = &fit.metrics {
            let data = validate.unwrap_or(train);
            let judged = self.judged::<T>();
            if let Some(fault) = metrics.fault(&judged, N::COMPILED.outputs, data.targets(), data.weights()) {
                return Err(TrainError::mismatch(fault));
            }
        }
        let watched = if fit.watches() { Some(fit.monitored(validate.is_some())?) } else { None };
        let settings = fit_settings(&fit, train.len(), validate.map_or(0, Dataset::len), watched.as_ref());
        let mut state = match self.take_resumed(&settings, fit.epochs)? {
            Some(state) => state,
            None => {
                self.executor.update.drop_accumulated();
                FitState::new()
            }
        };
        self.executor.reserve::<N>(fit.batch.min(train.len()), &self.optimizer);

        let mut batch = train.select(&[]);
        let slots = slot_names(&self.optimizer);
        let mut writer =
            fit.checkpoint.take().map(|checkpoint| Writer::new(checkpoint, self.settings(), settings, slots));
        let mut snapshots =
            Snapshots::new(Snapshot::of(state.history.epochs.len(), &self.model, &self.executor.update));
        let steps = samples_of_epoch(N::COMPILED, train.len(), fit.batch).div_ceil(fit.batch);
        let bar = if fit.progress { progress(steps) } else { ProgressBar::hidden() };
        let ended = loop {
            let number = state.history.epochs.len() + 1;
            if state.progress.is_over(fit.early_stopping.as_ref()) {
                break Ended::NoProgress;
            }
            if number > fit.epochs {
                break Ended::AllEpochs;
            }
            if fit.progress {
                bar.set_prefix(std::format!("epoch {number}/{}", fit.epochs));
                bar.set_position(state.step as u64);
            }
            let begun = Instant::now();
            let trained = self.epoch(train, &mut fit, &mut state, (begun, &mut batch), &mut writer, &bar);
            let ended = trained.and_then(|flow| {
                if flow.is_break() && state.step < steps {
                    return Ok(None);
                }
                let time = state.spent + begun.elapsed();
                let (validation, metrics) = self.judge(validate, train, &mut fit);
                // Where nothing else tells what the last step has come to, a batch does.
                let last = match validation {
                    Some(validation) => validation.loss,
                    None if number == fit.epochs => self.loss_again(train, &fit, &mut batch),
                    None => 0.0,
                };
                let epoch = Epoch { number, train: state.sums.evaluation(), validation, metrics, time };
                match last.is_finite() {
                    true => Ok(Some((epoch, flow))),
                    false if validation.is_some() => Err(Broken::NotFinite(steps, NonFinite::Validation)),
                    false => Err(Broken::NotFinite(steps, NonFinite::Loss)),
                }
            });
            let (epoch, mut flow) = match ended {
                Ok(Some(epoch)) => epoch,
                Ok(None) => {
                    state.spent += begun.elapsed();
                    break Ended::Stopped;
                }
                Err(Broken::Other(error)) => {
                    bar.finish_and_clear();
                    return Err(error);
                }
                Err(Broken::NotFinite(step, found)) => {
                    bar.finish_and_clear();
                    let data = validate.unwrap_or(train);
                    let (best, loss) = snapshots.best(|snapshot| {
                        snapshot.restore(&mut self.model, &mut self.executor.update);
                        self.evaluate_checked(data, None).loss
                    });
                    best.restore(&mut self.model, &mut self.executor.update);
                    let (kept, history) = (best.epoch, state.history);
                    return Err(TrainError::Diverged { epoch: number, step, found, kept, loss, history });
                }
            };
            self.model.run.epochs += 1;
            let validation = epoch.validation.map(|validation| validation.loss);
            self.executor.update.state.schedule.epoch(validation.unwrap_or(epoch.train.loss));
            if fit.progress {
                bar.println(ToString::to_string(&epoch));
            }
            if number < fit.epochs {
                snapshots
                    .epoch(epoch.train.loss, validation, || Snapshot::of(number, &self.model, &self.executor.update));
            }
            if let Some((name, lower)) = &watched {
                let value = epoch.get(name).unwrap_or(f64::NAN);
                if state.progress.epoch(fit.early_stopping.as_ref(), number, value, *lower) && fit.keep_best {
                    state.best = Some(Snapshot::of(number, &self.model, &self.executor.update));
                }
            }
            state.history.epochs.push(epoch);
            (state.step, state.sums, state.spent) = (0, EpochSums::default(), Duration::ZERO);
            if let Some(writer) = &mut writer {
                writer.after_epoch((&self.model, &self.executor.update), &state)?;
            }
            if let (Some(look), Some(epoch)) = (&mut fit.on_epoch, state.history.epochs.last())
                && look(epoch, &self.model).is_break()
            {
                flow = ControlFlow::Break(());
            }
            if flow.is_break() {
                break Ended::Stopped;
            }
        };
        bar.finish_and_clear();
        if let Some(writer) = &mut writer {
            writer.at_end((&self.model, &self.executor.update), &state)?;
        }
        state.history.ended = ended;
        if let Some(best) = &state.best {
            best.restore(&mut self.model, &mut self.executor.update);
            state.history.best = Some(best.epoch);
        }
        Ok(state.history)
    }

    /// What validation and metrics say after an epoch.
    fn judge<T: Targets>(
        &mut self,
        validate: Option<&Dataset<T>>,
        train: &Dataset<T>,
        fit: &mut Fit<'_, T, N>,
    ) -> (Option<Evaluation>, Vec<(String, f64)>)
    where
        L: Objective<T>,
    {
        let Some(metrics) = &mut fit.metrics else {
            return (validate.map(|data| self.evaluate_checked(data, None)), Vec::new());
        };
        let (judged, data) = (self.judged::<T>(), validate.unwrap_or(train));
        let mut see = |_: &L, outputs: &BatchOutputs| metrics.update(&judged, outputs, data.targets());
        let evaluation = self.evaluate_checked(data, Some(&mut see));
        let prefix = if validate.is_some() { "val_" } else { "" };
        let numbers = metrics.finish().into_iter().map(|(name, number)| (std::format!("{prefix}{name}"), number));
        (validate.map(|_| evaluation), numbers.collect())
    }

    /// The samples in the order of the epoch that comes next, without one that is left out.
    fn order(&self, samples: usize, fit_seed: Option<u64>, batch: usize) -> Vec<usize> {
        let random = fit_seed.map(|seed| Random::keyed(seed, &[self.model.run.epochs + 1]));
        let mut order = order(samples, random);
        order.truncate(samples_of_epoch(N::COMPILED, samples, batch));
        order
    }

    /// Trains on what is left of the samples of an epoch; stops at a step that comes to what is not finite,
    /// or after one that somebody asks to be the last.
    fn epoch<T: Targets>(
        &mut self,
        train: &Dataset<T>,
        fit: &mut Fit<'_, T, N>,
        state: &mut FitState,
        (begun, batch): (Instant, &mut Dataset<T>),
        writer: &mut Option<Writer>,
        bar: &ProgressBar,
    ) -> Result<ControlFlow<()>, Broken>
    where
        L: Objective<T>,
    {
        let order = self.order(train.len(), fit.shuffle.then_some(fit.seed), fit.batch);
        let steps = order.len().div_ceil(fit.batch);
        let epoch = state.history.epochs.len() + 1;
        let broken = |step, refusal: Refusal| Broken::NotFinite(step, refusal.named(N::COMPILED));
        for indices in order.chunks(fit.batch).skip(state.step) {
            train.select_targets_into(indices, batch);
            let result = self.one(BatchInputs::Indexed(train.inputs(), indices), batch, fit.seed);
            let result = result.map_err(|refusal| broken(state.step + 1, refusal))?;
            state.sums.add(&result, indices.len());
            state.step += 1;
            if fit.progress {
                bar.set_position(state.step as u64);
                bar.set_message(ToString::to_string(&state.sums.evaluation()));
            }
            let step = state.step;
            let mut last = fit.stop.as_ref().is_some_and(super::StopHandle::is_stopped);
            if let Some(look) = &mut fit.on_step {
                let report = StepReport { epoch, step, steps, loss: result.loss() };
                last |= look(&report, &self.model).is_break();
            }
            if last && step < steps {
                writer.iter_mut().for_each(Writer::after_last_step);
                return Ok(ControlFlow::Break(()));
            }
            if let Some(writer) = writer {
                writer.after_step((&self.model, &self.executor.update), state, begun).map_err(Broken::Other)?;
            }
            if last {
                self.flush().map_err(|refusal| broken(steps, refusal))?;
                return Ok(ControlFlow::Break(()));
            }
        }
        self.flush().map_err(|refusal| broken(steps, refusal))?;
        Ok(ControlFlow::Continue(()))
    }

    /// What does not fill a step makes one all the same.
    fn flush(&mut self) -> Result<(), Refusal> {
        self.executor.flush(&mut self.model.params, &mut self.optimizer)
    }

    /// The loss of the last batch of the epoch, with the parameters as they are after it.
    fn loss_again<T: Targets>(&mut self, train: &Dataset<T>, fit: &Fit<'_, T, N>, batch: &mut Dataset<T>) -> f64
    where
        L: Objective<T>,
    {
        let order = self.order(train.len(), fit.shuffle.then_some(fit.seed), fit.batch);
        let Some(indices) = order.chunks(fit.batch).last() else { return 0.0 };
        train.select_targets_into(indices, batch);
        let x = BatchInputs::Indexed(train.inputs(), indices);
        let (samples, targets, weights) = (batch.len(), batch.targets(), batch.weights());
        let given = Batch { samples, x, first: 0, targets, weights };
        self.executor.evaluate::<N, _>(&self.model.params, &self.loss, &given).mean()
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
