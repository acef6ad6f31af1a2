//! Micro-batches: samples that are run forward and backward together while their values stay in cache. Layers
//! that use each weight often, such as convolutions, have their gradients summed there and then, by each
//! worker for its own samples; a later pass over all samples would find nothing in cache, and could not be
//! shared where there are few weights. In: the table of parameters; out: which gradients have partial sums,
//! where these lie, and how a batch is cut.

use core::ops::Range;

use super::leaves::{Leaves, leaf_of, meeting_leaf_of, most_leaves};
use super::split::{ALL_SAMPLES, BatchSplit, LOSS_BLOCK};
use crate::graph::{CompiledNetwork, Node};
use nn_kernels::long_sums::BLOCK;

/// The most reduce blocks of a batch.
const MAX_BLOCKS: usize = 64;

/// The most floats that the partial sums of all reduce blocks may take.
const MAX_SUMS: usize = 1 << 20;

/// Samples whose gradients are one chain where they have no partial sums: workers that share few samples take
/// as few as a loss block each.
const ONE_CHAIN: usize = 256;

/// Samples whose gradients are chains of 64, added one after the other.
const CHAINS_OF_BLOCKS: usize = 2048;

/// Floats that the workspace of a micro-batch should not exceed, so that it stays in the cache, where the
/// next one finds it.
const CACHED_FLOATS: usize = 1 << 18;

/// How many times as large as what is kept of it a workspace must be for micro-batches to be worth the copies
/// of what is kept.
const MIN_GAIN: usize = 4;

/// Parameters whose gradient has a partial sum for each reduce block.
pub(super) struct PartialSum {
    pub(super) params: Range<usize>,
    /// Where the sum lies among those of a reduce block.
    pub(super) place: Range<usize>,
}

/// How batches of a network are cut, known when it is compiled.
#[derive(Clone, Copy)]
pub(super) struct BatchCut {
    /// Floats of the sums of one reduce block; 0 where no gradient has partial sums.
    sums_len: usize,
    max_blocks: usize,
    /// Samples whose workspace stays in the cache.
    samples_in_cache: usize,
    /// One worker takes all samples.
    one_worker: bool,
}

const fn least(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

const fn most(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

impl BatchCut {
    pub(super) const fn of(map: &CompiledNetwork) -> BatchCut {
        let one_worker = map.nested.one_worker;
        let (mut sums_len, mut in_groups, mut i) = (0, false, 0);
        // Where one worker has all samples, the others help with chunks of the parameters.
        while i < map.nodes.len() && !one_worker {
            if map.nodes[i].reuses() {
                sums_len += map.nodes[i].spec.params.len;
            }
            in_groups |= map.nodes[i].reuses_groups();
            i += 1;
        }
        let max_blocks = least(MAX_BLOCKS, MAX_SUMS / most(sums_len, 1));
        if max_blocks < 2 {
            sums_len = 0;
        }
        let (kept, work) = (map.train.kept, map.train.work);
        let samples_in_cache = if sums_len == 0 {
            ALL_SAMPLES
        } else if in_groups {
            // A micro-batch is a reduce block.
            0
        } else if work > 0 && MIN_GAIN * kept <= work {
            CACHED_FLOATS / work
        } else {
            ALL_SAMPLES
        };
        BatchCut { sums_len, max_blocks, samples_in_cache, one_worker }
    }

    /// How a batch is cut: into one micro-batch where there is nothing to be gained.
    pub(super) const fn split(&self, batch: usize) -> BatchSplit {
        if batch <= LOSS_BLOCK || self.one_worker {
            return BatchSplit::WHOLE;
        }
        if self.sums_len == 0 {
            let sum_unit = if batch <= ONE_CHAIN {
                0
            } else if batch <= CHAINS_OF_BLOCKS {
                BLOCK
            } else {
                most((batch / MAX_BLOCKS).next_power_of_two(), CHAINS_OF_BLOCKS / 4)
            };
            return BatchSplit { sum_unit, reduce_block: most(sum_unit, LOSS_BLOCK), ..BatchSplit::WHOLE };
        }
        let reduce_block = batch.div_ceil(LOSS_BLOCK).div_ceil(self.max_blocks).next_power_of_two() * LOSS_BLOCK;
        let micro_batch = most(self.samples_in_cache / reduce_block, 1) * reduce_block;
        let sum_unit = if batch <= ONE_CHAIN { 0 } else { reduce_block };
        BatchSplit { partial_sums: true, reduce_block, micro_batch, sum_unit }
    }

    /// What a worker needs that has so many samples, of batches whose reduce blocks have so many.
    pub(super) const fn workspace(&self, samples: usize, reduce_block: usize) -> WorkspaceSize {
        let together = most(self.samples_in_cache, reduce_block);
        WorkspaceSize { samples: least(samples, together), several: self.samples_in_cache < ALL_SAMPLES }
    }

    /// Floats of the partial sums of so many samples, of a batch of any size.
    pub(super) const fn sums_len(&self, samples: usize) -> usize {
        self.sums_len * least(samples.div_ceil(LOSS_BLOCK), self.max_blocks)
    }
}

/// Which gradients are summed block by block, and how many samples are run together.
pub(super) struct MicroBatching {
    map: &'static CompiledNetwork,
    /// Whether any gradient has partial sums.
    any_sums: bool,
    cut: BatchCut,
    /// Every reduce block is a leaf of the tree in which ranks add up gradients; and so is every micro-batch,
    /// where a gradient can be computed only from what was run together.
    in_leaves: bool,
    /// All leaves of a batch are run at once, as a layer looks at whole batches.
    meets: bool,
}

/// The workspace that a worker needs.
pub(super) struct WorkspaceSize {
    /// The most samples that are run together.
    pub(super) samples: usize,
    /// Whether there may be several micro-batches, so that what is kept of each needs a place of its own.
    pub(super) several: bool,
}

impl MicroBatching {
    pub(super) const fn new(map: &'static CompiledNetwork) -> MicroBatching {
        let cut = BatchCut::of(map);
        MicroBatching { map, any_sums: cut.sums_len > 0, cut, in_leaves: false, meets: false }
    }

    /// For a batch that ranks share, each of whose leaves is run by itself; all at once where they have to
    /// meet.
    pub(super) fn in_leaves(map: &'static CompiledNetwork, meets: bool) -> MicroBatching {
        let sums_len = partial_sum_ranges(map).map(|range| range.len()).sum();
        let any_sums = sums_len > 0;
        // More samples at a time read the parameters less often.
        let together = !meets && !any_sums && map.nodes.iter().all(Node::takes_some_samples);
        let samples_in_cache = if together { ALL_SAMPLES } else { 0 };
        let cut = BatchCut { sums_len, max_blocks: 0, samples_in_cache, one_worker: map.nested.one_worker };
        MicroBatching { map, any_sums, cut, in_leaves: true, meets }
    }

    /// The leaves of a batch of so many samples.
    pub(super) fn leaves(&self, samples: usize) -> Leaves {
        Leaves { samples, each: self.split(samples).reduce_block }
    }

    /// The same, where ranks share a batch.
    pub(super) fn shared_leaves(&self, samples: usize) -> Option<Leaves> {
        self.in_leaves.then(|| self.leaves(samples))
    }

    /// Whether ranks share a batch.
    pub(super) fn is_in_leaves(&self) -> bool {
        self.in_leaves
    }

    /// Whether all leaves are run at once.
    pub(super) fn meets(&self) -> bool {
        self.meets
    }

    /// Whether micro-batches need workspaces apart: where nothing is summed right after the backward pass of
    /// each, all of it is read later.
    pub(super) fn apart(&self) -> bool {
        self.in_leaves && !self.any_sums && self.cut.samples_in_cache < ALL_SAMPLES
    }

    /// How a batch is cut: into one micro-batch where there is nothing to be gained.
    pub(super) fn split(&self, batch: usize) -> BatchSplit {
        if self.in_leaves {
            let leaf = if self.meets { meeting_leaf_of(batch) } else { leaf_of(batch) };
            let micro_batch = leaf.max(self.cut.samples_in_cache);
            return BatchSplit { partial_sums: self.any_sums, reduce_block: leaf, micro_batch, sum_unit: usize::MAX };
        }
        self.cut.split(batch)
    }

    /// What a worker needs that has so many samples of a batch of this size, or of a smaller one.
    pub(super) fn workspace(&self, samples: usize, batch: usize) -> WorkspaceSize {
        let size = self.cut.workspace(samples, self.split(batch).reduce_block);
        WorkspaceSize { several: size.several && !self.apart(), ..size }
    }

    /// Floats of the partial sums of so many samples, of a batch of any size.
    pub(super) fn sums_len(&self, samples: usize) -> usize {
        if self.in_leaves { self.cut.sums_len * most_leaves(samples) } else { self.cut.sums_len(samples) }
    }

    pub(super) fn partial_sums(&self) -> impl Iterator<Item = PartialSum> + use<> {
        let mut next = 0;
        let ranges = partial_sum_ranges(self.map).take(if self.any_sums { usize::MAX } else { 0 });
        ranges.map(move |params| {
            let place = next..next + params.len();
            next = place.end;
            PartialSum { params, place }
        })
    }

    /// Where the sums of the i-th reduce block of a worker lie.
    pub(super) fn block(&self, i: usize) -> Range<usize> {
        i * self.cut.sums_len..(i + 1) * self.cut.sums_len
    }

    /// Where the partial sums of these parameters begin among those of a reduce block, if they have any.
    pub(super) fn place_of(&self, params: &Range<usize>) -> Option<usize> {
        let sum = self.partial_sums().find(|sum| sum.params.contains(&params.start))?;
        Some(sum.place.start + params.start - sum.params.start)
    }
}

/// The ranges of the parameters whose gradients have partial sums: no chunk of parameters may cross an end of
/// one.
pub(super) fn partial_sum_ranges(map: &'static CompiledNetwork) -> impl Iterator<Item = Range<usize>> {
    let nodes = if map.nested.one_worker { &[][..] } else { map.nodes };
    let own = |node: &Node| node.params..node.params + node.spec.params.len;
    let mut each = nodes.iter().filter(|node| node.reuses()).map(own).peekable();
    core::iter::from_fn(move || {
        let mut range = each.next()?;
        while let Some(next) = each.next_if(|next| next.start == range.end) {
            range.end = next.end;
        }
        Some(range)
    })
}
