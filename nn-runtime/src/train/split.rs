//! How the samples of a batch are cut. In: a number of samples; out: loss blocks, reduce blocks,
//! micro-batches and the samples of each worker. The blocks in which sums are made follow from the size of
//! the batch alone, so that the number of workers changes no bit.

use core::ops::Range;

use crate::graph::CompiledNetwork;
use crate::spec::Role;

/// Samples whose losses are summed before the sums are added up. Workers take whole blocks.
pub(super) const LOSS_BLOCK: usize = 16;

/// More samples than any batch has.
pub(super) const ALL_SAMPLES: usize = usize::MAX / 2;

/// How the samples of a batch are cut.
#[derive(Clone, Copy)]
pub(super) struct BatchSplit {
    /// Whether some gradients are summed block by block, right after the backward pass of each micro-batch.
    pub(super) partial_sums: bool,
    /// Samples whose gradients are summed before the sums are added up: loss blocks, in a power of two, so
    /// that a smaller batch has room where a larger one has. Workers take whole reduce blocks.
    pub(super) reduce_block: usize,
    /// Samples that are run together: whole reduce blocks.
    pub(super) micro_batch: usize,
    /// Samples after which a sum that no partial sums are made of may begin anew: where reduce blocks end. 0
    /// where such a sum is one chain through all of a batch.
    pub(super) sum_unit: usize,
}

impl Default for BatchSplit {
    fn default() -> BatchSplit {
        BatchSplit::WHOLE
    }
}

impl BatchSplit {
    /// One micro-batch of all samples.
    pub(super) const WHOLE: BatchSplit =
        BatchSplit { partial_sums: false, reduce_block: LOSS_BLOCK, micro_batch: ALL_SAMPLES, sum_unit: usize::MAX };

    pub(super) fn micro_batches(self, samples: usize) -> impl Iterator<Item = Range<usize>> {
        blocks(self.micro_batch, samples)
    }

    /// None where no gradient is summed block by block.
    pub(super) fn reduce_blocks(self, samples: usize) -> impl Iterator<Item = Range<usize>> {
        blocks(self.reduce_block, if self.partial_sums { samples } else { 0 })
    }

    /// Samples of each of so many workers, in whole reduce blocks.
    #[inline]
    pub(super) fn samples_per_worker(self, samples: usize, workers: usize) -> usize {
        samples.div_ceil(self.reduce_block).div_ceil(workers).saturating_mul(self.reduce_block)
    }
}

pub(super) fn loss_blocks(samples: usize) -> impl Iterator<Item = Range<usize>> {
    blocks(LOSS_BLOCK, samples)
}

fn blocks(size: usize, samples: usize) -> impl Iterator<Item = Range<usize>> {
    (0..samples.div_ceil(size)).map(move |i| i * size..samples.min((i + 1) * size))
}

/// How many of so many samples an epoch takes: all, but a last batch of one sample, which has no variance, is
/// left out where a layer normalises over the batch.
pub(super) fn samples_of_epoch(map: &CompiledNetwork, samples: usize, batch: usize) -> usize {
    let alone = batch > 1 && samples > 1 && samples % batch == 1;
    if alone && map.nodes.iter().any(|node| !node.frozen && node.spec.depends_on_batch_anywhere()) {
        samples - 1
    } else {
        samples
    }
}

/// Whether every layer that looks at whole batches can do so where they are run in parts.
pub(super) fn can_meet(map: &CompiledNetwork) -> bool {
    map.nodes.iter().all(|node| match node.network {
        Some(network) => node.frozen || can_meet(network()),
        None => {
            let follows = node.spec.params.list().iter().any(|param| param.role == Role::RunningStat);
            node.frozen || node.spec.backward.meets || !(node.spec.depends_on_batch_anywhere() || follows)
        }
    })
}

/// Whether a sample's output depends on the others of its batch, or a statistic follows whole batches.
pub(super) fn looks_at_whole_batches(map: &CompiledNetwork) -> bool {
    map.nodes.iter().any(|node| {
        let spec = node.spec;
        let follows = spec.params.list().iter().any(|param| param.role == Role::RunningStat);
        !node.frozen
            && (spec.depends_on_batch_anywhere()
                || follows
                || node.network.is_some_and(|network| looks_at_whole_batches(network())))
    })
}
