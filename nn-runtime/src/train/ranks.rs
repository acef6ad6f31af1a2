//! A batch that ranks share: which samples this rank runs, and what it learns of the others'. In: a world;
//! out: an executor that runs its part of each batch.

use alloc::vec::Vec;
use core::iter::repeat_n;
use core::ops::Range;

use super::executor::Executor;
use super::leaves::Leaves;
use super::microbatch::MicroBatching;
use super::shard::Shard;
use super::split::{can_meet, looks_at_whole_batches};
use super::world::{Lost, World};
use crate::graph::CompiledNetwork;
use crate::model::Network;
use crate::spec::MAX_OUTPUTS;

impl Executor {
    /// Trains together with other ranks from now on.
    pub(super) fn join<N: Network>(&mut self, world: World) {
        let meets = looks_at_whole_batches(N::COMPILED);
        // A layer of one's own that looks at whole batches finds them on every rank.
        if !meets || can_meet(N::COMPILED) {
            self.micro_batching = MicroBatching::in_leaves(N::COMPILED, meets);
            self.update.grads_given = true;
            self.update.sharing = Some((world.rank(), world.size())).filter(|(_, ranks)| *ranks > 1);
        }
        self.world = Some(world);
        self.reset_layout();
    }

    /// How a batch that ranks share is cut; none where each runs all of it.
    pub(super) fn leaves(&self, samples: usize) -> Option<(&World, Leaves)> {
        let world = self.world.as_ref().filter(|_| self.micro_batching.is_in_leaves())?;
        Some((world, self.micro_batching.leaves(samples)))
    }

    /// The samples of a batch that this rank runs.
    pub(super) fn own_samples(&self, samples: usize) -> Range<usize> {
        match self.leaves(samples) {
            None => 0..samples,
            Some((world, leaves)) => leaves.samples_of(&leaves.of_rank(world.rank(), world.size())),
        }
    }

    /// The samples of a batch that this rank reads.
    pub(super) fn wanted_samples(&self, samples: usize) -> Range<usize> {
        match self.leaves(samples) {
            Some((_, leaves)) if self.micro_batching.meets() && self.own_samples(samples).is_empty() => {
                leaves.samples_of(&(0..1))
            }
            _ => self.own_samples(samples),
        }
    }

    /// The shards that this rank answers for: none where it has no leaf of its own, and runs one to be there.
    pub(super) fn counted_shards(&self, samples: usize) -> &[Shard] {
        if self.own_samples(samples).is_empty() { &[] } else { &self.shards }
    }

    /// Gives each leaf of this rank a shard, and tells how many there are: one at least, so that nobody waits
    /// for this rank where leaves meet.
    pub(super) fn assign_leaves(&mut self, samples: usize) -> usize {
        let Some((world, leaves)) = self.leaves(samples) else { return 0 };
        let own = leaves.of_rank(world.rank(), world.size());
        let own = if own.is_empty() { 0..1 } else { own };
        let split = self.micro_batching.split(samples);
        for (i, shard) in self.shards.iter_mut().enumerate() {
            let leaf = own.end.min(own.start + i)..own.end.min(own.start + i + 1);
            shard.assign(leaves.samples_of(&leaf), split, true);
        }
        own.len()
    }

    /// Copies the outputs of the last batch, of so many samples, as the loss has read them.
    pub(super) fn copy_outputs(
        &self,
        map: &CompiledNetwork,
        samples: usize,
        to: &mut [Vec<f32>; MAX_OUTPUTS],
    ) -> Result<(), Lost> {
        to.iter_mut().for_each(Vec::clear);
        for shard in self.counted_shards(samples) {
            to.iter_mut().zip(shard.outputs(map.outputs)).for_each(|(to, y)| to.extend_from_slice(y));
        }
        let Some((world, leaves)) = self.leaves(samples) else { return Ok(()) };
        for (to, shape) in to.iter_mut().zip(map.outputs) {
            let own = self.own_samples(samples);
            to.splice(0..0, repeat_n(0.0, own.start * shape.len()));
            to.resize(samples * shape.len(), 0.0);
            world.gather_numbers(leaves, shape.len(), to)?;
        }
        Ok(())
    }
}
