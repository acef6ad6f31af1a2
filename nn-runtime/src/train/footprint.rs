//! What a trainer holds beside parameters and the optimiser's numbers, without making one. In: a network and
//! a batch; out: bytes, for one thread and settings that keep no second gradient. A test compares them with
//! what is really allocated.

use super::loss_sums::LossSums;
use super::microbatch::MicroBatching;
use super::param_chunks::by_size;
use super::split::LOSS_BLOCK;
use super::tensor_groups::TensorGroups;
use crate::graph::CompiledNetwork;
use crate::shape::Shape;
use crate::spec::Role;

/// The bytes of the buffers of `Shard::new`, of a worker's scratch memory, and of the change of running
/// statistics.
pub(crate) fn training_bytes(network: &'static CompiledNetwork, batch: usize) -> usize {
    let micro_batching = MicroBatching::new(network);
    let samples = micro_batching.split(batch).samples_per_worker(batch, 1).min(batch);
    let workspace = micro_batching.workspace(samples, batch);
    let numbers = |shapes: &[Shape]| samples.saturating_mul(shapes.iter().map(Shape::len).sum());
    // A worker has room for a chunk that is computed when it is updated, not before.
    let mut chunks = by_size(network, Role::Trainable, &TensorGroups::default(), 1);
    chunks.retain(|chunk| chunk.bounded_by(network, batch).is_some());
    let floats = [
        numbers(network.inputs),
        network.train.work.saturating_mul(workspace.samples),
        if workspace.several { network.train.kept.saturating_mul(samples) } else { 0 },
        numbers(network.outputs).saturating_mul(2),
        micro_batching.sums_len(samples),
        network.train.scratch_for(samples).max(network.infer.len(samples)),
        // The gradient of all parameters, a worker's chunk of it, and running statistics as they were.
        network.params_len,
        chunks.iter().map(|chunk| chunk.range.len()).max().unwrap_or(0),
        by_size(network, Role::RunningStat, &TensorGroups::default(), 1).iter().map(|chunk| chunk.range.len()).sum(),
    ];
    let losses = samples.div_ceil(LOSS_BLOCK).saturating_mul(size_of::<LossSums>());
    floats.into_iter().fold(0, usize::saturating_add).saturating_mul(4).saturating_add(losses)
}
