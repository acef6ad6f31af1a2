//! The state that windows carry to those after them, where training is stateful: of each sample of the batch
//! what its recurrent layers ended with. In: the parts of the batch that workers have run; out: what the next
//! window begins with. It changes when a step is taken and not before.

use super::batch_pass::CarriedRows;
use super::leaves::Leaves;
use super::shard::Shard;
#[cfg(feature = "std")]
use super::world::{Lost, World};
use nn_kernels::aligned_buffer::AlignedBuffer;

/// What the next window of each sample begins with.
#[derive(Clone)]
pub(super) struct CarriedBatch {
    /// A window has been learnt from; else sequences begin.
    begun: bool,
    /// Samples of the windows so far.
    samples: usize,
    /// Floats of a sample.
    pub(super) row: usize,
    pub(super) numbers: AlignedBuffer,
    /// By which ranks share the samples, where they do: each has the rows of its own.
    leaves: Option<Leaves>,
}

impl CarriedBatch {
    pub(super) fn new(row: usize) -> CarriedBatch {
        CarriedBatch { begun: false, samples: 0, row, numbers: AlignedBuffer::zeroed(0), leaves: None }
    }

    /// As a file has it: what so many samples have ended with.
    #[cfg(feature = "std")]
    pub(super) fn restored(&mut self, samples: usize, numbers: Option<AlignedBuffer>) {
        self.begun = numbers.is_some();
        if let Some(numbers) = numbers {
            (self.samples, self.numbers) = (samples, numbers);
        }
    }

    /// The next window is the first of its sequence.
    pub(super) fn reset(&mut self) {
        self.begun = false;
    }

    /// Samples of the windows so far; 0 where sequences begin.
    pub(super) fn samples(&self) -> usize {
        if self.begun { self.samples } else { 0 }
    }

    /// Begins sequences of so many samples where none have begun.
    pub(super) fn begin(&mut self, samples: usize, leaves: Option<Leaves>) {
        self.leaves = leaves;
        if self.begun {
            return;
        }
        if self.samples == samples {
            self.numbers.fill(0.0);
        } else {
            (self.samples, self.numbers) = (samples, AlignedBuffer::zeroed(samples * self.row));
        }
    }

    /// Rank 0 gets the rows of all ranks. Every rank calls it.
    #[cfg(feature = "std")]
    pub(super) fn gather_to_first(&mut self, world: &World) -> Result<(), Lost> {
        match self.leaves.filter(|_| self.begun) {
            Some(leaves) => world.gather_numbers_to_first(leaves, self.row, &mut self.numbers),
            None => Ok(()),
        }
    }

    pub(super) fn rows(&self) -> CarriedRows<'_> {
        CarriedRows { numbers: &self.numbers, row: self.row }
    }

    /// The window has been learnt from: the next one goes on where it ended.
    pub(super) fn go_on(&mut self, shards: &[Shard]) {
        self.begun = true;
        for shard in shards {
            let place = shard.samples.start * self.row..shard.samples.end * self.row;
            let len = place.len();
            self.numbers[place].copy_from_slice(&shard.carried[..len]);
        }
    }
}
