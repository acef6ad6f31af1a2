//! One epoch: batches in their order, each a step. In: where the samples come from, and who looks on; out:
//! what the batches came to, or what ended it before its time.

use core::mem;
use std::ops::{ControlFlow, Range};
use std::string::{String, ToString};
use std::time::Instant;
use std::vec::Vec;

use super::batch_pass::{Batch, BatchInputs};
use super::checkpoint_writer::Writer;
use super::checks::{check_fits, inputs};
use super::feed::{Feed, fault_of_sample};
use super::fit_state::FitState;
use super::judge::LossOfTargets;
use super::loader::{Loaded, Loading};
use super::objective::Objective;
use super::progress_line::ProgressLine;
use super::refusal::Refusal;
use super::sample_order::{DrawnBatches, SampleOrder};
use super::split::samples_of_epoch;
use super::{Fit, NonFinite, StepReport, StopHandle, TrainError, Trainer};
use crate::data::{Dataset, Targets};
use crate::losses::Loss;
use crate::model::Network;
use crate::optim::Optimizer;

/// What ends an epoch before its time.
pub(super) enum Broken {
    /// A step came to what is not finite.
    NotFinite(usize, NonFinite),
    Other(TrainError),
}

/// Batches of any size, whole.
const ALL: Range<usize> = 0..usize::MAX;

/// A call of `fit` in one of its epochs.
pub(super) struct EpochRun<'a, 'd, T: Targets, N> {
    pub(super) fit: &'a mut Fit<'d, T, N>,
    pub(super) state: &'a mut FitState,
    pub(super) writer: &'a mut Option<Writer>,
    pub(super) line: &'a mut ProgressLine,
    pub(super) begun: Instant,
    pub(super) steps: usize,
    /// Samples there are.
    pub(super) samples: usize,
}

impl<N: Network, L: Loss, O: Optimizer> Trainer<'_, N, L, O> {
    /// The samples in the order of the epoch that comes next, without one that is left out.
    /// `taken` are the steps of it that have been taken.
    fn order<T: Targets>(&self, train: &dyn Feed<T>, fit: &Fit<'_, T, N>, taken: usize) -> SampleOrder {
        if let Some(run) = &self.executor.update.privacy {
            let (draws, first) = (run.draws.clone(), run.steps.wrapping_sub(taken as u64));
            return SampleOrder::Drawn(DrawnBatches { draws, samples: train.len(), first });
        }
        let mut order = train.order(fit.shuffle.then_some((fit.seed, self.model.run.epochs + 1)));
        order.truncate(samples_of_epoch(N::COMPILED, order.len(), fit.batch));
        order
    }

    /// Trains on what is left of the samples of an epoch; stops at a step that comes to what is not finite,
    /// or after one that somebody asks to be the last.
    pub(super) fn epoch<T: Targets>(
        &mut self,
        train: &dyn Feed<T>,
        mut run: EpochRun<'_, '_, T, N>,
        batch: &mut Dataset<T>,
    ) -> Result<ControlFlow<()>, Broken>
    where
        L: Objective<T>,
    {
        let order = self.order(train, run.fit, run.state.step);
        let (from, steps, size) = (run.state.step, run.steps, run.fit.batch);
        let mut last = false;
        match train.dataset() {
            Some(data) if run.fit.augment.is_empty() => {
                let mut indices = Vec::new();
                for step in from..steps {
                    order.batch(step, size, &mut indices);
                    data.select_targets_into(&indices, batch);
                    let x = BatchInputs::Indexed(data.inputs(), &indices);
                    last = self.epoch_step(x, (batch, 0..indices.len()), &mut run)?;
                    if last {
                        break;
                    }
                }
            }
            in_memory => {
                // Loaders look at it while what looks on may change.
                let augment = mem::take(&mut run.fit.augment);
                let key = (run.fit.seed, self.model.run.epochs + 1);
                // What every sample weighs is asked of all of them.
                let weighed = train.weighs();
                let wanted = [size.min(order.len()), order.len() - (steps - 1) * size];
                let wanted = wanted.map(|len| if weighed { 0..len } else { self.executor.wanted_samples(len) });
                let wanted = if self.executor.update.privacy.is_some() { [ALL, ALL] } else { wanted };
                let (feed, steps) = (train, from..steps);
                let loading = Loading { feed, order: &order, batch: size, steps, wanted, augment: &augment, key };
                let loaders = run.fit.loaders;
                let mut each = |loaded: &Loaded<T>| {
                    if in_memory.is_none()
                        && let Some(text) = self.fault_of_batch(loaded)
                    {
                        return Err(broken_off(&run, text));
                    }
                    let x = inputs(&loaded.batch);
                    let x = BatchInputs::Part(&x[..loaded.batch.inputs().len()], loaded.samples.start);
                    self.epoch_step(x, (&loaded.batch, loaded.samples.clone()), &mut run)
                };
                // Nothing, where the step was not the last.
                let ended = loading.for_each(loaders, |loaded| {
                    each(loaded).map_or_else(|broken| Some(Err(broken)), |last| last.then_some(Ok(())))
                });
                run.fit.augment = augment;
                match ended {
                    Ok(Some(Ok(()))) => last = true,
                    Ok(Some(Err(broken))) => return Err(broken),
                    Ok(None) => {}
                    Err(error) => return Err(broken_off(&run, error.to_string())),
                }
            }
        }
        if last && run.state.step < steps {
            return Ok(ControlFlow::Break(()));
        }
        self.flush().map_err(|refusal| self.broken(run.state, steps, refusal))?;
        Ok(if last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// Takes a batch, of which `answers` holds targets and weights from the start of `samples` on; whether it
    /// is the last one.
    fn epoch_step<T: Targets>(
        &mut self,
        x: BatchInputs,
        (answers, samples): (&Dataset<T>, Range<usize>),
        run: &mut EpochRun<'_, '_, T, N>,
    ) -> Result<bool, Broken>
    where
        L: Objective<T>,
    {
        let EpochRun { fit, state, writer, line, begun, steps, samples: all } = run;
        let (epoch, steps) = (state.history.epochs.len() + 1, *steps);
        let result = match self.executor.update.privacy {
            None => self.one(x, answers, samples.clone(), fit.seed),
            Some(_) => self.one_private(x, answers, samples.clone(), (fit.seed, fit.batch, *all)),
        };
        let result = result.map_err(|refusal| self.broken(state, state.step + 1, refusal))?;
        state.sums.add(&result, samples.end);
        state.step += 1;
        line.step(epoch, state.step, &state.sums);
        let step = state.step;
        let mut last = fit.stop.as_ref().is_some_and(StopHandle::is_stopped);
        if let Some(look) = &mut fit.on_step {
            let report = StepReport { epoch, step, steps, loss: result.loss() };
            last |= look(&report, &self.model).is_break();
        }
        // One rank may be asked and another not.
        if fit.stop.is_some() || fit.on_step.is_some() {
            last = self.any(last).map_err(|lost| self.broken(state, step, lost.into()))?;
        }
        if last && step < steps {
            writer.iter_mut().for_each(Writer::after_last_step);
        } else if let Some(writer) = writer {
            writer.after_step(self.trained(), state, *begun).map_err(Broken::Other)?;
        }
        Ok(last)
    }

    /// What of a batch that was read just now does not fit the network or the loss.
    fn fault_of_batch<T: Targets>(&self, loaded: &Loaded<T>) -> Option<String>
    where
        L: Objective<T>,
    {
        let fits = |batch: &Dataset<T>| check_fits::<N, T>(&self.loss, batch, self.runs_every_sample()).err();
        let (fault, sample) = fault_of_sample(&loaded.batch, &loaded.indices, fits)?;
        let text = fault.to_string();
        Some(match sample {
            Some(sample) => text.replacen("sample 0", &std::format!("sample {sample}"), 1),
            None => text,
        })
    }

    /// Why there is no step.
    fn broken(&self, state: &FitState, step: usize, refusal: Refusal) -> Broken {
        match self.lost(&state.history) {
            Some(error) => Broken::Other(error),
            None => Broken::NotFinite(step, refusal.named(N::COMPILED)),
        }
    }

    /// What does not fill a step makes one all the same.
    fn flush(&mut self) -> Result<(), Refusal> {
        self.executor.flush(&mut self.model.params, &mut self.optimizer)
    }

    /// The loss of the last batch of the epoch, with the parameters as they are after it.
    pub(super) fn last_loss<T: Targets>(
        &mut self,
        train: &dyn Feed<T>,
        fit: &Fit<'_, T, N>,
        batch: &mut Dataset<T>,
    ) -> f64
    where
        L: Objective<T>,
    {
        let steps = samples_of_epoch(N::COMPILED, train.len(), fit.batch).div_ceil(fit.batch);
        let order = self.order(train, fit, steps);
        let mut indices = Vec::new();
        order.batch(steps - 1, fit.batch, &mut indices);
        // Of a drawn one, which may be larger than any other, as many as there is room for.
        indices.truncate(fit.batch);
        self.loss_of(train, &indices, batch)
    }

    /// The loss of the first samples of a source, which stand for all; NaN if they cannot be read any more.
    pub(super) fn first_loss<T: Targets>(&mut self, train: &dyn Feed<T>, samples: usize) -> f64
    where
        L: Objective<T>,
    {
        let indices: Vec<usize> = (0..samples.min(train.len())).collect();
        let Ok(mut batch) = train.batch() else { return f64::NAN };
        self.loss_of(train, &indices, &mut batch)
    }

    fn loss_of<T: Targets>(&mut self, train: &dyn Feed<T>, indices: &[usize], batch: &mut Dataset<T>) -> f64
    where
        L: Objective<T>,
    {
        let all = 0..indices.len();
        let wanted = if train.weighs() { all } else { self.executor.wanted_samples(indices.len()) };
        if train.load(&indices[wanted.clone()], batch).is_err() {
            return f64::NAN;
        }
        let x = inputs(batch);
        let x = BatchInputs::Part(&x[..batch.inputs().len()], wanted.start);
        let judge = LossOfTargets { loss: &self.loss, targets: batch.targets() };
        let (samples, weights) = (indices.len(), batch.weights());
        let given = Batch { samples, x, first: 0, skipped: wanted.start, judge: &judge, weights };
        self.executor.evaluate::<N>(&self.model.params, &given).map_or(f64::NAN, |sums| sums.mean())
    }
}

/// A sample could not be read, or does not fit.
fn broken_off<T: Targets, N>(run: &EpochRun<'_, '_, T, N>, error: String) -> Broken {
    Broken::Other(TrainError::Read { error, history: run.state.history.clone() })
}
