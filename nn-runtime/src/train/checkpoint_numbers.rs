//! What a checkpoint's note holds: everything of a run that is no tensor. Floats are kept as their bits, so
//! that what is read is what was written.

use std::string::String;
use std::time::Duration;
use std::vec::Vec;

use serde::{Deserialize, Serialize};

use super::accuracy_sums::AccuracySums;
use super::carried_batch::CarriedBatch;
use super::early_stopping::Progress;
use super::epoch_sums::EpochSums;
use super::fit_state::{FitState, Settings};
use super::loss_sums::LossSums;
use super::update_state::UpdateState;
use super::waiting::Waiting;
use super::{Epoch, Evaluation};
use crate::MAX_OUTPUTS;
use crate::model::TrainedSoFar;

#[derive(Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) version: u32,
    pub(super) network: String,
    pub(super) fingerprint: u64,
    pub(super) settings: Settings,
    pub(super) state: StateNumbers,
    pub(super) waiting: WaitingNumbers,
    /// What private training has spent.
    #[serde(default)]
    pub(super) spent: Vec<u64>,
    pub(super) fit: Option<FitNumbers>,
}

/// Of a model and its updates.
#[derive(Serialize, Deserialize)]
pub(super) struct StateNumbers {
    batches: u64,
    epochs: u64,
    steps: u64,
    before: u64,
    largest_grad: u64,
    schedule: Vec<u64>,
    pub(super) ema_begun: bool,
    /// Epochs since an average was asked for.
    #[serde(default)]
    ema_epochs: u64,
    /// Samples whose state is carried on.
    #[serde(default)]
    pub(super) carried: usize,
}

/// Of gradients that wait for more batches.
#[derive(Serialize, Deserialize)]
pub(super) struct WaitingNumbers {
    pub(super) batches: usize,
    weight: u64,
    largest: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct FitNumbers {
    pub(super) settings: Settings,
    step: usize,
    spent: u64,
    loss: [u64; MAX_OUTPUTS],
    weight: [u64; MAX_OUTPUTS],
    correct: Option<usize>,
    rows: usize,
    regularization: u64,
    samples: usize,
    best: Option<(u64, usize)>,
    reference: Option<u64>,
    waited: usize,
    pub(super) kept: Option<(usize, StateNumbers)>,
    epochs: Vec<EpochNumbers>,
}

#[derive(Serialize, Deserialize)]
struct EpochNumbers {
    train: EvaluationNumbers,
    validation: Option<EvaluationNumbers>,
    metrics: Vec<(String, u64)>,
    time: u64,
}

#[derive(Serialize, Deserialize)]
struct EvaluationNumbers(u64, Option<u64>, usize);

impl EvaluationNumbers {
    fn of(evaluation: &Evaluation) -> EvaluationNumbers {
        EvaluationNumbers(evaluation.loss.to_bits(), evaluation.accuracy.map(f64::to_bits), evaluation.samples)
    }

    fn read(&self) -> Evaluation {
        Evaluation { loss: f64::from_bits(self.0), accuracy: self.1.map(f64::from_bits), samples: self.2 }
    }
}

impl StateNumbers {
    pub(super) fn of(run: TrainedSoFar, state: &UpdateState) -> StateNumbers {
        StateNumbers {
            batches: run.batches,
            epochs: run.epochs,
            steps: state.steps,
            before: state.before,
            largest_grad: state.largest_grad.to_bits(),
            schedule: state.schedule.state().into_iter().map(f64::to_bits).collect(),
            ema_begun: state.ema.as_ref().is_some_and(|ema| ema.begun),
            ema_epochs: state.ema.as_ref().map_or(0, |ema| ema.epochs),
            carried: state.carried.as_ref().map_or(0, CarriedBatch::samples),
        }
    }

    /// What was trained so far; the rest goes to `state`. None where the schedule does not take its part.
    pub(super) fn read(&self, state: &mut UpdateState) -> Option<TrainedSoFar> {
        let schedule: Vec<f64> = self.schedule.iter().map(|&bits| f64::from_bits(bits)).collect();
        if !state.schedule.set_state(&schedule) {
            return None;
        }
        (state.steps, state.before) = (self.steps, self.before);
        state.largest_grad = f64::from_bits(self.largest_grad);
        if let Some(ema) = &mut state.ema {
            (ema.begun, ema.epochs) = (self.ema_begun, self.ema_epochs);
        }
        Some(TrainedSoFar { batches: self.batches, epochs: self.epochs })
    }
}

impl WaitingNumbers {
    pub(super) fn of(waiting: Waiting) -> WaitingNumbers {
        let (weight, largest) = (waiting.weight.to_bits(), waiting.largest.to_bits());
        WaitingNumbers { batches: waiting.batches, weight, largest }
    }

    pub(super) fn read(&self) -> Waiting {
        let (weight, largest) = (f64::from_bits(self.weight), f64::from_bits(self.largest));
        Waiting { batches: self.batches, weight, largest }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl FitNumbers {
    /// Of a run whose epoch has taken `spent` so far.
    pub(super) fn of(state: &FitState, spent: Duration, settings: Settings) -> FitNumbers {
        let FitState { history, step, sums, progress, best, .. } = state;
        let epoch = |epoch: &Epoch| EpochNumbers {
            train: EvaluationNumbers::of(&epoch.train),
            validation: epoch.validation.as_ref().map(EvaluationNumbers::of),
            metrics: epoch.metrics.iter().map(|(name, number)| (name.clone(), number.to_bits())).collect(),
            time: nanos(epoch.time),
        };
        FitNumbers {
            settings,
            step: *step,
            spent: nanos(spent),
            loss: sums.sums.loss.map(f64::to_bits),
            weight: sums.sums.weight.map(f64::to_bits),
            correct: sums.sums.accuracy.correct,
            rows: sums.sums.accuracy.rows,
            regularization: sums.regularization.to_bits(),
            samples: sums.samples,
            best: progress.best.map(|(value, epoch)| (value.to_bits(), epoch)),
            reference: progress.reference.map(f64::to_bits),
            waited: progress.waited,
            kept: best.as_ref().map(|best| (best.epoch, StateNumbers::of(best.run, &best.state))),
            epochs: history.epochs.iter().map(epoch).collect(),
        }
    }

    /// The run, without the model of its best epoch.
    pub(super) fn read(&self) -> FitState {
        let mut state = FitState::new();
        let epochs = self.epochs.iter().enumerate().map(|(i, epoch)| Epoch {
            number: i + 1,
            train: epoch.train.read(),
            validation: epoch.validation.as_ref().map(EvaluationNumbers::read),
            metrics: epoch.metrics.iter().map(|(name, bits)| (name.clone(), f64::from_bits(*bits))).collect(),
            time: Duration::from_nanos(epoch.time),
        });
        state.history.epochs = epochs.collect();
        (state.step, state.spent) = (self.step, Duration::from_nanos(self.spent));
        let accuracy = AccuracySums { correct: self.correct, rows: self.rows };
        let (loss, weight) = (self.loss.map(f64::from_bits), self.weight.map(f64::from_bits));
        let (regularization, samples) = (f64::from_bits(self.regularization), self.samples);
        state.sums = EpochSums { sums: LossSums { loss, weight, accuracy }, regularization, samples };
        state.progress = Progress {
            best: self.best.map(|(bits, epoch)| (f64::from_bits(bits), epoch)),
            reference: self.reference.map(f64::from_bits),
            waited: self.waited,
        };
        state
    }
}
