//! How the parameters of a network are cut for a step. In: the table of parameters; out: chunks, each of
//! whose gradients is computed and used at once. No chunk ends where a layout does not allow it, and none has
//! partial sums for only some of its parameters.

use alloc::vec::Vec;
use core::ops::Range;

use super::microbatch::partial_sum_ranges;
use super::tensor_groups::TensorGroups;
use crate::graph::CompiledNetwork;
use crate::optim::TensorLayout;
use crate::params::{self, Tensor};
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

/// One chunk for each tensor that is trained.
pub(super) fn by_tensor(map: &'static CompiledNetwork, groups: &TensorGroups) -> Vec<ParamChunk> {
    of_role(map, Role::Trainable)
        .filter_map(|tensor| {
            let range = tensor.offset..tensor.offset + tensor.len;
            Some(ParamChunk::new(map, range, groups.factor(&tensor)?, Some(TensorLayout::of(&tensor))))
        })
        .collect()
}

/// The parameters of a role in chunks of like size: several small tensors in one, a large one in several, cut
/// where its layout allows; smaller chunks for more workers, so that each gets some. What is frozen is in
/// none, and a chunk has one factor.
pub(super) fn by_size(
    map: &'static CompiledNetwork,
    role: Role,
    groups: &TensorGroups,
    workers: usize,
) -> Vec<ParamChunk> {
    let most = match workers {
        1 => MAX_CHUNK,
        _ => {
            let each = map.params_len / (workers * CHUNKS_PER_WORKER);
            each.next_multiple_of(LINE).clamp(MAX_CHUNK / 32, MAX_CHUNK)
        }
    };
    let sums = partial_sum_ranges(map);
    let sum_of = |at: usize| sums.iter().position(|range| range.contains(&at));
    let mut chunks: Vec<(Range<usize>, f64)> = Vec::new();
    // The factor of the tensor before.
    let mut before = None;
    for tensor in of_role(map, role) {
        let group = groups.factor(&tensor);
        let follows = core::mem::replace(&mut before, group) == group;
        let Some(factor) = group else { continue };
        let end = tensor.offset + tensor.len;
        let mut from = tensor.offset;
        while from < end {
            let to = match end - from {
                rest if rest <= most => end,
                _ => from + most / tensor.layout.grain() * tensor.layout.grain(),
            };
            match chunks.last_mut() {
                // Between tensors lie less than a cache line of unused floats, which stay zero.
                Some((last, _))
                    if (follows || from > tensor.offset)
                        && from - last.end < LINE
                        && to - last.start <= most
                        && sum_of(last.start) == sum_of(from) =>
                {
                    last.end = to;
                }
                _ => chunks.push((from..to, factor)),
            }
            from = to;
        }
    }
    chunks.into_iter().map(|(range, factor)| ParamChunk::new(map, range, factor, None)).collect()
}

/// The node that alone writes the gradient of a range, all of one parameter, and never in partial sums.
fn writer(map: &CompiledNetwork, range: &Range<usize>) -> Option<usize> {
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

fn of_role(map: &'static CompiledNetwork, role: Role) -> impl Iterator<Item = Tensor> {
    params::tensors(map).into_iter().filter(move |tensor| tensor.role == role && !tensor.frozen)
}
