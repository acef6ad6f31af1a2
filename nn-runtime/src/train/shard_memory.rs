//! What the memory of a worker's samples is made of: buffers and sums that are allocated, or lent ones. In: a
//! kind of memory; out: the types of what lies in it.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::ops::DerefMut;

use super::loss_sums::LossSums;
use crate::storage::Allocated;

/// A kind of memory.
pub(super) trait ShardMemory {
    type Numbers: DerefMut<Target = [f32]> + Default + Send + Sync;
    type Losses: BlockLosses + Send + Sync;
}

#[cfg(feature = "alloc")]
impl ShardMemory for Allocated {
    type Numbers = Allocated;
    type Losses = Vec<LossSums>;
}

/// Nobody has any.
#[cfg(not(feature = "alloc"))]
impl ShardMemory for Allocated {
    type Numbers = &'static mut [f32];
    type Losses = LossSums;
}

impl<'m> ShardMemory for &'m mut [f32] {
    type Numbers = &'m mut [f32];
    type Losses = LossSums;
}

/// The losses of a shard's loss blocks.
pub(super) trait BlockLosses {
    /// Has the sums of the i-th block written, and passes on what is said of them. Blocks come in order.
    fn of_block(&mut self, i: usize, write: impl FnOnce(&mut LossSums) -> bool) -> bool;
}

#[cfg(feature = "alloc")]
impl BlockLosses for Vec<LossSums> {
    #[inline]
    fn of_block(&mut self, i: usize, write: impl FnOnce(&mut LossSums) -> bool) -> bool {
        write(&mut self[i])
    }
}

/// Where one shard has all samples, the sum of all blocks so far.
impl BlockLosses for LossSums {
    #[inline]
    fn of_block(&mut self, i: usize, write: impl FnOnce(&mut LossSums) -> bool) -> bool {
        let mut sums = LossSums::default();
        let said = write(&mut sums);
        if i == 0 {
            *self = LossSums::default();
        }
        self.add(&sums);
        said
    }
}
