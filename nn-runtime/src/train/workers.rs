//! The threads of a trainer and what each has to itself. In: a number of threads; out: a pool, and scratch
//! memory for each of them.

use alloc::vec::Vec;

use super::world::World;
use nn_kernels::aligned_buffer::AlignedBuffer;
#[cfg(not(feature = "std"))]
pub(super) use nn_kernels::one_thread::OneThread as ThreadPool;
#[cfg(feature = "std")]
pub(super) use nn_kernels::thread_pool::ThreadPool;

/// Threads, and the scratch memory of each.
pub(super) struct Workers {
    pub(super) pool: ThreadPool,
    pub(super) scratch: Vec<WorkerScratch>,
}

/// What a worker has to itself.
pub(super) struct WorkerScratch {
    pub(super) worker: usize,
    /// For layers.
    pub(super) layers: AlignedBuffer,
    /// The gradient of one chunk of parameters.
    pub(super) grad: AlignedBuffer,
    /// For the optimiser.
    pub(super) optimizer: AlignedBuffer,
    /// The largest number of the gradients that it has held.
    pub(super) largest: f64,
}

/// The workers that take part in something, and other ranks where there are some.
pub(super) struct ActiveWorkers<'a> {
    pub(super) pool: &'a mut ThreadPool,
    pub(super) scratch: &'a mut [WorkerScratch],
    pub(super) world: Option<&'a World>,
}

impl<'a> ActiveWorkers<'a> {
    /// The same together with these ranks.
    #[inline]
    pub(super) fn among(self, world: Option<&'a World>) -> ActiveWorkers<'a> {
        ActiveWorkers { world, ..self }
    }
}

impl Workers {
    /// The thread that owns the trainer alone, without scratch memory.
    pub(super) fn one() -> Workers {
        Workers { pool: ThreadPool::new(1), scratch: Vec::new() }
    }

    /// The first so many of them.
    #[inline]
    pub(super) fn first(&mut self, workers: usize) -> ActiveWorkers<'_> {
        ActiveWorkers { pool: &mut self.pool, scratch: &mut self.scratch[..workers], world: None }
    }

    #[inline]
    pub(super) fn all(&mut self) -> ActiveWorkers<'_> {
        ActiveWorkers { pool: &mut self.pool, scratch: &mut self.scratch, world: None }
    }
}
