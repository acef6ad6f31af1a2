//! How the parameters of a network are cut for a step. In: the table of parameters; out: chunks, each of
//! whose gradients is computed and used at once. No chunk ends where a layout does not allow it, and none has
//! partial sums for only some of its parameters.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::ops::Range;

use super::microbatch::partial_sum_ranges;
#[cfg(feature = "alloc")]
use super::tensor_groups::TensorGroups;
use crate::graph::CompiledNetwork;
use crate::optim::TensorLayout;
use crate::params::{self, TensorPlace};
use crate::spec::{LINE, Role};
use nn_kernels::long_sums;

/// The most floats of gradient held at once: they and their parameters stay in the nearer caches until they
/// are used up.
pub(super) const MAX_CHUNK: usize = 32 * 1024;

/// Chunks for each worker, at least, so that there is little to wait for at the end.
const CHUNKS_PER_WORKER: usize = 8;

/// A contiguous range of the parameters.
pub(super) struct ParamChunk {
    pub(super) range: Range<usize>,
    /// What the learning rate is multiplied by.
    pub(super) factor: f64,
    /// Where the chunk is one whole tensor: how it lies in memory.
    pub(super) layout: Option<TensorLayout>,
    /// The node that alone writes its gradient, a matrix: it need not be 0 before, and its numbers are sums
    /// of products of the node's inputs and the gradients of its outputs.
    pub(super) written_by: Option<usize>,
}

impl ParamChunk {
    fn new(map: &CompiledNetwork, range: Range<usize>, factor: f64, layout: Option<TensorLayout>) -> ParamChunk {
        ParamChunk { written_by: writer(map, &range), range, factor, layout }
    }

    /// Whether its gradient is overwritten.
    #[inline]
    pub(super) fn overwrite(&self) -> bool {
        self.written_by.is_some()
    }

    /// The node by whose inputs and output gradients this chunk's gradient is bounded for less than it costs
    /// to look at the gradient itself, in batches of so many samples.
    pub(super) fn bounded_by(&self, map: &CompiledNetwork, samples: usize) -> Option<usize> {
        self.written_by.filter(|&i| {
            let spec = map.nodes[i].spec;
            let numbers = spec.shapes.inputs[0].len() + spec.output_shapes()[0].len();
            samples.saturating_mul(numbers) < spec.params.list().first().map_or(0, |param| param.len)
        })
    }
}

impl ParamChunk {
    /// Whether the gradient from so many samples is one sum that is made before it is added to anything.
    pub(super) fn adds_whole_sums(&self, map: &CompiledNetwork, samples: usize) -> bool {
        self.written_by.is_some_and(|i| {
            let spec = map.nodes[i].spec;
            let rows = spec.shapes.inputs[0].len() / spec.params.list()[0].shape.dim(1);
            samples.saturating_mul(rows) <= long_sums::BLOCK
        })
    }
}

/// How the parameters of a role are cut.
#[derive(Clone, Copy)]
pub(super) enum ChunkCut {
    /// One chunk for each tensor.
    ByTensor,
    /// Several small tensors in one chunk, a large one in several, none of more floats than these.
    BySize(usize),
}

impl ChunkCut {
    /// By size; smaller chunks for more workers, so that each gets some.
    pub(super) fn for_workers(map: &CompiledNetwork, workers: usize) -> ChunkCut {
        ChunkCut::BySize(match workers {
            1 => MAX_CHUNK,
            _ => {
                let each = map.params_len / (workers * CHUNKS_PER_WORKER);
                each.next_multiple_of(LINE).clamp(MAX_CHUNK / 32, MAX_CHUNK)
            }
        })
    }
}

/// Shows the chunks of a role, one after the other, cut where a layout allows, as [`each_chunk_by`] does
/// where all tensors learn at the same rate.
pub(super) fn each_chunk(map: &'static CompiledNetwork, role: Role, cut: ChunkCut, mut see: impl FnMut(ParamChunk)) {
    each_chunk_by(map, role, cut, &|_| Some(1.0), &mut see);
}

/// Shows the chunks of a role, one after the other, cut where a layout allows. What is frozen, or has no
/// `factor` of its learning rate, is in none, and a chunk has one factor.
pub(super) fn each_chunk_by(
    map: &'static CompiledNetwork,
    role: Role,
    cut: ChunkCut,
    factor: &dyn Fn(&TensorPlace) -> Option<f64>,
    see: &mut dyn FnMut(ParamChunk),
) {
    let sum_of = |at: usize| partial_sum_ranges(map).position(|range| range.contains(&at));
    // The chunk that may become longer, and the factor of the tensor before.
    let (mut last, mut before): (Option<(Range<usize>, f64)>, _) = (None, None);
    params::each(map, &mut |tensor| {
        if tensor.param.role != role || tensor.frozen {
            return;
        }
        let group = factor(&tensor);
        let follows = core::mem::replace(&mut before, group) == group;
        let (Some(factor), Range { start, end }) = (group, tensor.range()) else { return };
        let most = match cut {
            ChunkCut::ByTensor => {
                return see(ParamChunk::new(map, start..end, factor, Some(TensorLayout::of(tensor.param))));
            }
            ChunkCut::BySize(most) => most,
        };
        let mut from = start;
        while from < end {
            let to = match end - from {
                rest if rest <= most => end,
                _ => from + most / tensor.param.layout.grain() * tensor.param.layout.grain(),
            };
            match &mut last {
                // Between tensors lie less than a cache line of unused floats, which stay zero.
                Some((last, _))
                    if (follows || from > start)
                        && from - last.end < LINE
                        && to - last.start <= most
                        && sum_of(last.start) == sum_of(from) =>
                {
                    last.end = to;
                }
                last => {
                    if let Some((range, factor)) = last.replace((from..to, factor)) {
                        see(ParamChunk::new(map, range, factor, None));
                    }
                }
            }
            from = to;
        }
    });
    if let Some((range, factor)) = last {
        see(ParamChunk::new(map, range, factor, None));
    }
}

/// The chunks of a role, as a list.
#[cfg(feature = "alloc")]
pub(super) fn list(map: &'static CompiledNetwork, role: Role, cut: ChunkCut, groups: &TensorGroups) -> Vec<ParamChunk> {
    let mut all = Vec::new();
    each_chunk_by(map, role, cut, &|tensor| groups.factor(tensor.range().start), &mut |chunk| all.push(chunk));
    all
}

/// The node that alone writes the gradient of a range, all of one parameter, and never in partial sums.
pub(super) fn writer(map: &CompiledNetwork, range: &Range<usize>) -> Option<usize> {
    if map.nodes.iter().any(|node| node.shares.is_some()) {
        return None;
    }
    map.nodes.iter().position(|node| {
        let of_node = range.start >= node.params
            && range.end <= node.params + node.spec.params.list().first().map_or(0, |param| param.len);
        node.spec.backward.overwrites_weight_grad
            && !node.reuses()
            && node.network.is_none()
            && node.spec.times == 1
            && of_node
    })
}
