//! Gradients that wait for more batches, and updates that go on where others were. In: what a file held; out:
//! the same, as it was.

use super::update::Update;
use super::update_state::UpdateState;

/// What is known of gradients that wait for more batches.
#[derive(Clone, Copy)]
pub(super) struct Waiting {
    pub(super) batches: usize,
    /// Σ weight of their rows.
    pub(super) weight: f64,
    /// Their largest number.
    pub(super) largest: f64,
}

impl Update {
    /// The parameters have been changed by another than `step`.
    pub(super) fn params_changed(&mut self) {
        self.overflow.forget();
    }

    /// What the gradient of a batch's mean loss is multiplied by: its weight, where several batches have one
    /// mean.
    #[inline]
    pub(super) fn batch_scale(&self, weight: f64) -> f64 {
        if self.accumulate > 1 { weight } else { 1.0 }
    }

    /// Drops the gradients that wait for more batches.
    pub(super) fn drop_accumulated(&mut self) {
        (self.batches, self.weight) = (0, 0.0);
    }

    /// What is known of the gradients that wait for more batches.
    pub(super) fn waiting(&self) -> Waiting {
        Waiting { batches: self.batches, weight: self.weight, largest: self.largest_held }
    }

    /// The gradients that are held.
    pub(super) fn held_grads(&self) -> &[f32] {
        &self.grads
    }

    /// Goes on from another state, with gradients that wait, where some do.
    pub(super) fn go_on(&mut self, state: UpdateState, waiting: Waiting, grads: Option<&[f32]>) {
        self.state = state;
        self.state.keep_part(&self.shares.span());
        (self.batches, self.weight, self.largest_held) = (waiting.batches, waiting.weight, waiting.largest);
        if let Some(grads) = grads {
            self.grads.copy_from_slice(&grads[self.shares.span()]);
        }
        self.params_changed();
    }
}
