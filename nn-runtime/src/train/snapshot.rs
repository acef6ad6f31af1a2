//! What training goes back to when it diverges. In: a trainer at the end of an epoch; out: the same trainer,
//! later, as it was then.

use super::executor::Executor;
use super::update::UpdateState;
use super::{TrainError, Trainer};
use crate::network::Network;
use nn_kernels::aligned_buffer::AlignedBuffer;

pub(super) struct Snapshot {
    epoch: usize,
    params: AlignedBuffer,
    state: UpdateState,
    batches: u64,
}

impl Snapshot {
    pub(super) fn of<N: Network, L, O>(trainer: &Trainer<'_, N, L, O>, epoch: usize) -> Snapshot {
        let Executor { update, batches, .. } = &trainer.executor;
        let (params, state) = (trainer.model.params.clone(), update.state.clone());
        Snapshot { epoch, params, state, batches: *batches }
    }

    /// As a new one, in the same memory.
    pub(super) fn renew<N: Network, L, O>(&mut self, trainer: &Trainer<'_, N, L, O>, epoch: usize) {
        let Executor { update, batches, .. } = &trainer.executor;
        self.params.clone_from(&trainer.model.params);
        (self.epoch, self.state, self.batches) = (epoch, update.state.clone(), *batches);
    }

    pub(super) fn restore<N: Network, L, O>(
        self,
        trainer: &mut Trainer<'_, N, L, O>,
        epoch: usize,
        step: usize,
    ) -> TrainError {
        trainer.model.params = self.params;
        trainer.executor.update.state = self.state;
        trainer.executor.update.drop_accumulated();
        trainer.executor.batches = self.batches;
        TrainError::Diverged { epoch, step, kept: self.epoch }
    }
}
