//! Sums over the batches of an epoch, or of an evaluation. In: what each batch has come to; out: means.

use super::Evaluation;
use super::loss_sums::LossSums;
use super::step_result::StepResult;

#[derive(Default)]
pub(super) struct EpochSums {
    pub(super) sums: LossSums,
    /// Of each sample what regularisers added when it was trained on.
    pub(super) regularization: f64,
    pub(super) samples: usize,
}

impl EpochSums {
    pub(super) fn add(&mut self, result: &StepResult, samples: usize) {
        self.sums.add(&result.sums);
        self.regularization += result.regularization * samples as f64;
        self.samples += samples;
    }

    pub(super) fn evaluation(&self) -> Evaluation {
        let regularization = self.regularization / self.samples.max(1) as f64;
        let accuracy = self.sums.accuracy.accuracy();
        Evaluation { loss: self.sums.mean() + regularization, accuracy, samples: self.samples }
    }
}
