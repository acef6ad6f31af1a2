//! What ranks remember of a run, each of its share, brought together to be written down. In: an update and
//! the other ranks; out: all of it, on rank 0.

use super::update::Update;
use super::update_state::UpdateState;
use super::world::{Lost, World};
use nn_kernels::aligned_buffer::AlignedBuffer;

/// What all ranks remember; on rank 0 alone it is worth having.
pub(super) struct WholeState {
    pub(super) state: UpdateState,
    /// Gradients that wait for more batches.
    pub(super) grads: AlignedBuffer,
    /// Of the best epoch.
    pub(super) best: Option<UpdateState>,
}

impl Update {
    /// What all ranks remember, also of the best epoch; none where each remembers all. Every rank calls it.
    pub(super) fn whole(&self, world: Option<&World>, best: Option<&UpdateState>) -> Result<Option<WholeState>, Lost> {
        let Some(world) = world.filter(|_| self.sharing.is_some()) else { return Ok(None) };
        let spans = self.shares.spans();
        let mut state = self.state.of_all_for_first(world, spans)?;
        state.carried.iter_mut().try_for_each(|carried| carried.gather_to_first(world))?;
        let best = best.map(|state| state.of_all_for_first(world, spans)).transpose()?;
        let waits = self.batches > 0 && world.rank() == 0;
        let mut grads = AlignedBuffer::zeroed(if waits { self.map.params_len } else { 0 });
        if self.batches > 0 {
            world.gather_to_first(&self.grads, spans, &mut grads)?;
        }
        Ok(Some(WholeState { state, grads, best }))
    }
}
