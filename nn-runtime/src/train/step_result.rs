//! What a batch has come to. In: sums of losses; out: the loss that is told.

use super::loss_sums::LossSums;

/// What a batch has come to.
pub(super) struct StepResult {
    pub(super) sums: LossSums,
    /// What regularisers added to the loss.
    pub(super) regularization: f64,
}

impl StepResult {
    /// The mean loss of a row, and what regularisers add.
    #[inline]
    pub(super) fn loss(&self) -> f64 {
        self.sums.mean() + self.regularization
    }
}
