//! What a trainer holds beside parameters, without making one. In: a network and a batch; out: bytes of one
//! that allocates, for one thread and settings that keep no second gradient, which a test compares with what
//! is really allocated; or the lengths of all buffers of one that works in memory of the caller's.

use super::loss_sums::LossSums;
use super::microbatch::BatchCut;
use super::param_chunks::MAX_CHUNK;
use super::split::LOSS_BLOCK;
use crate::graph::{CompiledNetwork, Node};
use crate::limits::{MAX_OUTPUTS, lines};
use crate::shape::Shape;

/// The bytes of the buffers of `Shard::new`, of a worker's scratch memory, and of the change of running
/// statistics.
pub const fn training_bytes(network: &CompiledNetwork, batch: usize) -> usize {
    let cut = BatchCut::of(network);
    let workspace = cut.workspace(batch, cut.split(batch).reduce_block);
    let (train, infer) = (network.train.scratch_for(batch), network.infer.len(batch));
    let floats = [
        numbers(network.inputs).saturating_mul(batch),
        network.train.work.saturating_mul(workspace.samples),
        if workspace.several { network.train.kept.saturating_mul(batch) } else { 0 },
        numbers(network.outputs).saturating_mul(batch).saturating_mul(2),
        cut.sums_len(batch),
        if train > infer { train } else { infer },
        // The gradient of all parameters, a worker's chunk of it, and running statistics as they were.
        network.params_len,
        longest_chunk(network, batch),
        network.nested.statistics,
    ];
    let (mut all, mut i) = (0usize, 0);
    while i < floats.len() {
        all = all.saturating_add(floats[i]);
        i += 1;
    }
    let losses = batch.div_ceil(LOSS_BLOCK).saturating_mul(size_of::<LossSums>());
    all.saturating_mul(4).saturating_add(losses)
}

/// The most floats of state per parameter that an optimiser may keep.
pub(super) const MAX_SLOTS: usize = 4;

/// Parameters that a step in doubt is tried out on at once.
pub(super) const TRIAL: usize = 256;

/// Numbers of each buffer of a trainer that works in memory of the caller's; every one begins where a cache
/// line of that memory does.
#[derive(Clone, Copy)]
pub(super) struct TrainingLens {
    pub(super) outputs: [usize; MAX_OUTPUTS],
    pub(super) partial_sums: usize,
    pub(super) kept: usize,
    /// For layers.
    pub(super) scratch: usize,
    pub(super) statistics: usize,
    /// The gradients of all parameters, and each slot.
    pub(super) grads: usize,
    pub(super) slots: usize,
    pub(super) trial: usize,
    /// The workspace of a micro-batch.
    pub(super) work: usize,
    /// … and of a whole batch.
    pub(super) whole_work: usize,
}

impl TrainingLens {
    /// For batches of up to so many samples, and an optimiser that keeps so many numbers of each parameter.
    pub(super) const fn new(network: &CompiledNetwork, batch: usize, slots: usize) -> TrainingLens {
        let cut = BatchCut::of(network);
        let workspace = cut.workspace(batch, cut.split(batch).reduce_block);
        let (train, infer) = (network.train.scratch_for(batch), network.infer.len(batch));
        let (mut outputs, mut i) = ([0; MAX_OUTPUTS], 0);
        while i < network.outputs.len() {
            outputs[i] = network.outputs[i].len().saturating_mul(batch);
            i += 1;
        }
        TrainingLens {
            outputs,
            partial_sums: cut.sums_len(batch),
            kept: if workspace.several { network.train.kept.saturating_mul(batch) } else { 0 },
            scratch: if train > infer { train } else { infer },
            statistics: network.nested.statistics,
            grads: network.params_len,
            slots,
            trial: TRIAL * (1 + slots),
            work: network.train.work.saturating_mul(workspace.samples),
            whole_work: network.train.work.saturating_mul(batch),
        }
    }

    /// All but the workspace, which comes last.
    pub(super) const fn without_work(&self) -> usize {
        let mut all = 0usize;
        let each = [self.partial_sums, self.kept, self.scratch, self.statistics, self.grads, self.trial];
        let mut i = 0;
        while i < each.len() {
            all = all.saturating_add(lines(each[i]));
            i += 1;
        }
        let mut j = 0;
        while j < MAX_OUTPUTS {
            all = all.saturating_add(2 * lines(self.outputs[j]));
            j += 1;
        }
        all.saturating_add(lines(self.grads).saturating_mul(self.slots))
    }
}

/// Numbers of memory in which a network takes steps by a loss; or by objectives on whole batches, which need
/// the workspace of all samples at once.
pub const fn training_len(network: &CompiledNetwork, batch: usize, slots: usize, whole: bool) -> usize {
    let lens = TrainingLens::new(network, batch, slots);
    lens.without_work().saturating_add(if whole { lens.whole_work } else { lens.work })
}

const fn numbers(shapes: &[Shape]) -> usize {
    let (mut len, mut i) = (0, 0);
    while i < shapes.len() {
        len += shapes[i].len();
        i += 1;
    }
    len
}

/// Floats of the longest chunk whose gradient is computed when it is updated, not before: a part of a matrix
/// that is too large to share a chunk.
const fn longest_chunk(network: &CompiledNetwork, batch: usize) -> usize {
    let (mut longest, mut i) = (0, 0);
    while i < network.nodes.len() {
        let node = &network.nodes[i];
        if node.shares.is_some() {
            return 0;
        }
        let len = chunk_of(node, batch);
        if len > longest {
            longest = len;
        }
        i += 1;
    }
    longest
}

const fn chunk_of(node: &Node, batch: usize) -> usize {
    let spec = node.spec;
    let list = spec.params.list();
    let alone = spec.backward.overwrites_weight_grad && node.trains() && !node.reuses();
    if !alone || node.network.is_some() || spec.times != 1 || list.is_empty() {
        return 0;
    }
    let seen = spec.shapes.inputs[0].len() + spec.output_shapes()[0].len();
    let (len, behind) = (list[0].len, if list.len() > 1 { list[1].len } else { 0 });
    if batch.saturating_mul(seen) >= len || len + behind <= MAX_CHUNK {
        return 0;
    }
    let grain = list[0].layout.grain();
    if len > MAX_CHUNK { MAX_CHUNK / grain * grain } else { len }
}
