//! How the shards of a batch are run: each on a worker; or, where leaves meet in the middle of a pass, each
//! leaf on a thread of its own. In: shards and a job for each; out: the job done. It knows nothing of the
//! job.

use super::leaves::Leaves;
#[cfg(feature = "std")]
use super::meeting::LeafThreads;
use super::shard::Shard;
use super::workers::Workers;
use super::world::{Lost, World};
use crate::graph::CompiledNetwork;
use crate::layer::WholeBatch;

/// What the shards of a batch are run on.
#[derive(Default)]
pub(super) struct ShardRuns {
    #[cfg(feature = "std")]
    leaves: Option<LeafThreads>,
}

impl ShardRuns {
    /// For so many leaves that meet, of so many samples each.
    #[cfg_attr(not(feature = "std"), allow(unused_variables))]
    pub(super) fn meeting(map: &CompiledNetwork, leaves: usize, samples: usize) -> ShardRuns {
        ShardRuns {
            #[cfg(feature = "std")]
            leaves: Some(LeafThreads::new(map, leaves, samples)),
        }
    }

    /// Runs a job for each shard of a batch.
    ///
    /// # Errors
    /// Other ranks are lost where leaves meet.
    #[cfg_attr(not(feature = "std"), allow(unused_variables))]
    pub(super) fn run(
        &mut self,
        world: Option<&mut World>,
        leaves: Leaves,
        workers: &mut Workers,
        shards: &mut [Shard],
        job: impl Fn(&mut Shard, Option<&dyn WholeBatch>, &mut [f32]) + Sync,
    ) -> Result<(), Lost> {
        #[cfg(feature = "std")]
        if let (Some(threads), Some(world)) = (&mut self.leaves, world) {
            let workers = workers.scratch.len();
            return threads
                .run((world, leaves, workers), shards, |shard, whole, scratch| job(shard, Some(whole), scratch));
        }
        let workers = workers.first(shards.len());
        workers.pool.for_each_zip(shards, workers.scratch, |shard, scratch| job(shard, None, &mut scratch.layers));
        Ok(())
    }
}
