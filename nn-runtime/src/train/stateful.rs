//! Truncated back-propagation through time: windows that follow each other learn as one long sequence. In: a
//! trainer; out: the same, carrying the state of recurrent layers from step to step. It never flows a
//! gradient from one window into the one before it.

use alloc::format;
use alloc::string::String;

use super::carried_batch::CarriedBatch;
use super::{TrainError, Trainer};
use crate::model::Network;

impl<N: Network, L, O> Trainer<'_, N, L, O> {
    /// Each step goes on where the one before it ended: `Rnn`, `Gru` and `Lstm` that go forward begin a
    /// window with the state that they had after the last, so that sequences longer than memory holds are
    /// learnt window by window. Gradients stay within a window: truncated back-propagation through time,
    /// PyTorch's `h.detach()`, Keras's `stateful=True`. Werbos, "Backpropagation through time: what it does
    /// and how to do it", 1990; Williams & Peng, "An efficient gradient-based algorithm for on-line training
    /// of recurrent network trajectories", 1990.
    ///
    /// Sample `i` of a batch goes on where sample `i` of the batch before ended, so that all batches have as
    /// many samples; [`reset_state`](Trainer::reset_state) begins new sequences. A window whose weights are
    /// all 0 changes no parameter, and leaves its state. [`fit`](Trainer::fit) begins anew at each epoch; it
    /// wants `.shuffle(false)`, and batches of one size, one behind the other: window `k` of sequence `i` is
    /// sample `k · batch + i`. [Checkpoints](super::Checkpoint) keep the state. Where ranks
    /// train [together](Trainer::distributed), each keeps that of the samples that it runs.
    ///
    /// Layers that are given a state as an input, that go backward, and all others, such as a causal `Conv1d`
    /// or attention, see their window alone; so do evaluation, `predict_into` and the model itself. What a
    /// trained model makes of a long sequence a [stream](crate::Model::streamer) tells.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Echo: [8, 1] -> [8, 1] { Gru(6) -> DensePerStep(1) } }
    ///
    /// let mut model = Echo::init(0);
    /// let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-2)).stateful();
    /// for _ in 0..3 {
    ///     trainer.reset_state();
    ///     for window in 0..20 {
    ///         // What stood there ten steps before, often in the window before.
    ///         let at = |step: usize| ((window * 8 + step) as f32 * 0.7).sin();
    ///         let x: [[f32; 8]; 1] = [std::array::from_fn(at)];
    ///         let y: [[f32; 8]; 1] = [std::array::from_fn(|step| at(step) - 0.5)];
    ///         trainer.step(&Dataset::values(&x, &y).unwrap()).unwrap();
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// Told when training begins ([`TrainError::Setting`]): nothing in the network carries a state; the
    /// trainer is [private](Trainer::private). Where a batch has another number of samples than the
    /// one before, [`TrainError::Mismatch`], and nothing has changed.
    pub fn stateful(mut self) -> Self {
        self.checked = false;
        match N::COMPILED.carried_len {
            0 => {
                let fault = "stateful: expected an `Rnn`, `Gru` or `Lstm` that goes forward and is given no state, found none\nhelp: leave `.stateful()` out";
                self.fault = self.fault.or(Some(fault.into()));
            }
            row => self.executor.update.state.carried = Some(CarriedBatch::new(row)),
        }
        self.executor.reset_layout();
        self
    }

    /// The next window is the first of its sequence: it begins with a state of 0, and its batch may have
    /// another size. Where training is not [stateful](Trainer::stateful) nothing changes.
    pub fn reset_state(&mut self) {
        if let Some(carried) = &mut self.executor.update.state.carried {
            carried.reset();
        }
    }

    /// Whether a window of so many samples can follow those before.
    pub(super) fn check_window(&self, samples: usize) -> Result<(), TrainError> {
        match self.executor.update.state.carried.as_ref().map_or(0, CarriedBatch::samples) {
            expected if expected != 0 && expected != samples => Err(TrainError::mismatch(format!(
                "stateful: expected a batch of {expected} samples, as the windows before had, found {samples}\nhelp: `trainer.reset_state()` where \
                 other sequences begin"
            ))),
            _ => Ok(()),
        }
    }

    /// Whether `fit` keeps the windows of a sequence behind each other.
    #[cfg(feature = "std")]
    pub(super) fn check_windows(&self, shuffle: bool, batch: usize, samples: usize) -> Result<(), TrainError> {
        if self.executor.update.state.carried.is_none() {
            return Ok(());
        }
        if shuffle {
            let fault =
                "stateful: expected windows in their order, found them shuffled\nhelp: `Fit::epochs(5).shuffle(false)`";
            return Err(TrainError::setting(fault));
        }
        match samples % batch.min(samples) {
            0 => Ok(()),
            left => Err(TrainError::setting(format!(
                "stateful: expected batches of {batch} windows each, found {samples} windows, of which {left} are left over\nhelp: leave them \
                 out, or take another batch: the number of sequences that are learnt side by side"
            ))),
        }
    }

    /// What is wrong with settings that do not go with a state, if anything.
    pub(super) fn check_stateful(&self) -> Result<(), String> {
        #[cfg(feature = "std")]
        if self.executor.update.state.carried.is_some() && self.executor.update.privacy.is_some() {
            return Err("stateful: expected windows in their order, found a private trainer, which draws them by chance\nhelp: leave \
                        `.stateful()` or `.private(..)` out"
                .into());
        }
        Ok(())
    }
}
