//! The loop over epochs and batches. In: data, and how to train; out: a trained model, a history. Data is
//! checked before the model is touched; what diverges is undone.

use std::ops::ControlFlow;
use std::string::ToString;
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::batch_outputs::BatchOutputs;
use super::checkpoint_file::slot_names;
use super::checkpoint_writer::Writer;
use super::checks::{has_weight, no_samples, no_weight};
use super::epoch::{Broken, EpochRun};
use super::epoch_sums::EpochSums;
use super::feed::{Feed, Sourced};
use super::fit_state::FitState;
use super::log::Logs;
use super::objective::Objective;
use super::progress_line::ProgressLine;
use super::resume::fit_settings;
use super::snapshot::{Snapshot, Snapshots};
use super::split::samples_of_epoch;
use super::{Ended, Epoch, Evaluation, Fit, History, NonFinite, TrainError, Trainer};
use crate::data::{DataError, Dataset, SampleSource, Targets};
use crate::losses::Loss;
use crate::model::Network;
use crate::optim::Optimizer;

/// What validation says after an epoch, and what metrics come to, by name.
type AfterEpoch = (Option<Evaluation>, Vec<(String, f64)>);

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
    pub fn fit<T: Targets>(&mut self, train: &Dataset<T>, fit: Fit<'_, T, N>) -> Result<History, TrainError>
    where
        L: Objective<T>,
    {
        self.check_trains(train)?;
        if !has_weight::<N, T>(&self.loss, train) {
            return Err(no_weight());
        }
        self.fit_on(train, fit)
    }

    /// As [`fit`](Trainer::fit), on samples that are read while the network learns: more than memory holds,
    /// or computed when they are asked for. [`Fit::loaders`] threads read the next batches meanwhile. A batch
    /// is checked when it has been read, as all samples of [`fit`](Trainer::fit) are before the first step.
    ///
    /// Every epoch has an order of all samples by chance, keyed as that of `fit` but another one: it is
    /// computed place by place, so that no list of samples is kept.
    ///
    /// # Errors
    /// As [`fit`](Trainer::fit). A sample that cannot be read, or does not fit, ends training
    /// ([`TrainError::Read`]); the model is as trained so far. [Metrics](Fit::metrics) need samples to
    /// [validate](Fit::validate) on.
    pub fn fit_source<S: SampleSource>(
        &mut self,
        source: &S,
        fit: Fit<'_, S::Targets, N>,
    ) -> Result<History, TrainError>
    where
        L: Objective<S::Targets>,
    {
        let feed = Sourced(source);
        if source.is_empty() {
            return Err(no_samples());
        }
        self.check_learns()?;
        let groups = source.groups();
        let in_groups = groups.iter().try_fold(0usize, |all, len| all.checked_add(*len));
        if !groups.is_empty() && in_groups != Some(source.len()) {
            return Err(TrainError::mismatch(format!(
                "expected groups of {} samples in all, found {}",
                source.len(),
                in_groups.map_or("more".to_string(), |all| all.to_string())
            )));
        }
        self.first_sample(&feed)?;
        if fit.metrics.is_some() && fit.validate.is_none() && fit.validate_source.is_none() {
            return Err(TrainError::setting(
                "expected samples to measure metrics on, found a source alone\nhelp: `.validate(&data)`",
            ));
        }
        self.fit_on(&feed, fit)
    }

    /// Trains on samples the first of which, at least, fit.
    fn fit_on<T: Targets>(&mut self, train: &dyn Feed<T>, mut fit: Fit<'_, T, N>) -> Result<History, TrainError>
    where
        L: Objective<T>,
    {
        fit.check()?;
        fit.check_augmentation(N::COMPILED.inputs)?;
        self.check_windows(fit.shuffle, fit.batch, train.len())?;
        if let Some(validation) = fit.validate {
            self.check(validation)?;
        }
        // Of what has no weight there is no mean: nothing is validated.
        let weighs = |data: &&Dataset<T>| has_weight::<N, T>(&self.loss, data);
        let in_memory = fit.validate.filter(weighs).map(|data| -> &dyn Feed<T> { data });
        let read = fit.validate_source.take();
        let validate = in_memory.or(read.as_deref());
        // Of a source the first sample stands for all.
        let first = match &read {
            Some(source) => Some(self.first_sample(&**source)?),
            None => None,
        };
        let measured = validate.map_or(train.dataset(), |feed| feed.dataset().or(first.as_ref()));
        if let (Some(metrics), Some(data)) = (&fit.metrics, measured) {
            let judged = self.judged::<T>();
            if let Some(fault) = metrics.fault(&judged, N::COMPILED.outputs, data.targets(), data.weights()) {
                return Err(TrainError::mismatch(fault));
            }
        }
        let watched = if fit.watches() { Some(fit.monitored(validate.is_some())?) } else { None };
        let heard = self.executor.update.state.schedule.monitors().map(|name| fit.find(Some(name), validate.is_some()));
        let heard = heard.transpose()?;
        let samples = (train.len(), validate.map_or(0, Feed::len));
        let written = fit.checkpoint.is_some() || self.resumed.is_some();
        let settings = fit_settings(&fit, (N::COMPILED.inputs, written), samples, train.groups(), watched.as_ref());
        let mut state = match self.take_resumed(&settings, fit.epochs)? {
            Some(state) => state,
            None => {
                self.executor.update.drop_accumulated();
                FitState::new()
            }
        };
        let in_memory: Vec<&Dataset<T>> = train.dataset().into_iter().chain(fit.validate).collect();
        let checkpoint = fit.checkpoint.as_ref().map(|checkpoint| checkpoint.every);
        self.compare_runs(&settings, checkpoint, &in_memory)?;
        if self.rank() > 0 {
            fit.write_nothing();
        }
        self.executor.reserve::<N>(fit.batch.min(train.len()), &self.optimizer);
        // Of what was read from a file each rank goes on with its share.
        if let Some(best) = &mut state.best {
            best.state.keep_part(&self.executor.update.shares.span());
        }

        let mut logs = Logs::begin(&fit.logs, &state.history)?;
        let mut batch = train.batch()?;
        let slots = slot_names(&self.optimizer);
        let mut writer =
            fit.checkpoint.take().map(|checkpoint| Writer::new(checkpoint, self.settings(), settings, slots));
        let mut snapshots =
            Snapshots::new(Snapshot::of(state.history.epochs.len(), &self.model, &self.executor.update));
        let steps = samples_of_epoch(N::COMPILED, train.len(), fit.batch).div_ceil(fit.batch);
        let done = state.history.epochs.len() * steps + state.step;
        self.tell_private(&fit, train.len(), (steps * fit.epochs).saturating_sub(done) as u64)?;
        let mut line = ProgressLine::new(fit.progress, fit.epochs, steps, done);
        let ended = loop {
            let number = state.history.epochs.len() + 1;
            if state.progress.is_over(fit.early_stopping.as_ref()) {
                break Ended::NoProgress;
            }
            if number > fit.epochs {
                break Ended::AllEpochs;
            }
            if state.step == 0 {
                self.reset_state();
            }
            line.begin(number, state.step, &state.sums);
            let begun = Instant::now();
            let (writer_, line_) = (&mut writer, &mut line);
            let run = EpochRun {
                fit: &mut fit,
                state: &mut state,
                writer: writer_,
                line: line_,
                begun,
                steps,
                samples: train.len(),
            };
            let trained = self.epoch(train, run, &mut batch);
            let ended = trained.and_then(|flow| {
                if flow.is_break() && state.step < steps {
                    return Ok(None);
                }
                let time = state.spent + begun.elapsed();
                let judged = self.judge(validate, train.dataset(), &mut fit);
                if let Some(error) = self.lost(&state.history) {
                    return Err(Broken::Other(error));
                }
                let unread =
                    |error: DataError| TrainError::Read { error: error.to_string(), history: state.history.clone() };
                let (validation, metrics) = judged.map_err(|error| Broken::Other(unread(error)))?;
                // Where nothing else tells what the last step has come to, a batch does.
                let last = match validation {
                    Some(validation) => validation.loss,
                    None if number == fit.epochs => self.last_loss(train, &fit, &mut batch),
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
                    line.end();
                    return Err(error);
                }
                Err(Broken::NotFinite(step, found)) => {
                    line.end();
                    let data = validate.and_then(Feed::dataset).or(train.dataset());
                    let (best, loss) = snapshots.best(|snapshot| {
                        snapshot.restore(&mut self.model, &mut self.executor.update);
                        // Of a source the first batch stands for all.
                        match data {
                            Some(data) => self.evaluate_checked(data, None).loss,
                            None => self.first_loss(train, fit.batch),
                        }
                    });
                    best.restore(&mut self.model, &mut self.executor.update);
                    let (kept, history) = (best.epoch, state.history);
                    return Err(TrainError::Diverged { epoch: number, step, found, kept, loss, history });
                }
            };
            self.model.run.epochs += 1;
            self.swa_epoch();
            let validation = epoch.validation.map(|validation| validation.loss);
            let hears = match &heard {
                None => validation.unwrap_or(epoch.train.loss),
                Some((name, lower)) => epoch.get(name).map_or(f64::NAN, |value| if *lower { value } else { -value }),
            };
            self.executor.update.state.schedule.epoch(hears);
            line.epoch(&epoch);
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
            // Before the checkpoint: what one tells of has been logged.
            if let Err(error) = logs.epoch(&state.history) {
                line.end();
                return Err(error);
            }
            (state.step, state.sums, state.spent) = (0, EpochSums::default(), Duration::ZERO);
            if let Some(writer) = &mut writer {
                writer.after_epoch(self.trained(), &state)?;
            }
            if let (Some(look), Some(epoch)) = (&mut fit.on_epoch, state.history.epochs.last())
                && look(epoch, &self.model).is_break()
            {
                flow = ControlFlow::Break(());
            }
            if fit.on_epoch.is_some() && self.any(flow.is_break()).unwrap_or(false) {
                flow = ControlFlow::Break(());
            }
            if let Some(error) = self.lost(&state.history) {
                line.end();
                return Err(error);
            }
            if flow.is_break() {
                break Ended::Stopped;
            }
        };
        line.end();
        if let Some(writer) = &mut writer {
            writer.at_end(self.trained(), &state)?;
        }
        self.reset_state();
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
        validate: Option<&dyn Feed<T>>,
        train: Option<&Dataset<T>>,
        fit: &mut Fit<'_, T, N>,
    ) -> Result<AfterEpoch, DataError>
    where
        L: Objective<T>,
    {
        let on = validate.or(train.map(|data| -> &dyn Feed<T> { data }));
        let (Some(metrics), Some(data)) = (&mut fit.metrics, on) else {
            let evaluation = validate.map(|data| self.evaluate_feed(data, None)).transpose()?;
            return Ok((evaluation, Vec::new()));
        };
        let judged = self.judged::<T>();
        let mut see = |outputs: &BatchOutputs, targets: &T| metrics.update(&judged, outputs, targets);
        let evaluation = self.evaluate_feed(data, Some(&mut see))?;
        let prefix = if validate.is_some() { "val_" } else { "" };
        let numbers = metrics.finish().into_iter().map(|(name, number)| (std::format!("{prefix}{name}"), number));
        Ok((validate.map(|_| evaluation), numbers.collect()))
    }
}
