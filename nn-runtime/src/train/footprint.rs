//! What a trainer holds beside parameters and the optimiser's numbers, without making one. In: a network and
//! a batch; out: bytes, for one thread and settings that keep no second gradient. A test compares them with
//! what is really allocated.

use super::loss_sums::LossSums;
use super::microbatch::BatchCut;
use super::param_chunks::MAX_CHUNK;
use super::split::LOSS_BLOCK;
use crate::graph::{CompiledNetwork, Node};
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
