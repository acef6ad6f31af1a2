//! The gradient of a batch that ranks share. In: the gradient of each leaf that this rank has run; out: that
//! of the whole batch, the same bits on every rank and for any number of them. Each rank adds up its full
//! subtrees, sends every other rank what is of that one's share of the parameters (reduce-scatter), adds up
//! what comes in the order of the tree, and hands its share to all (all-gather).

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::AtomicBool;

use super::leaves::{Leaves, Subtree, add_up, spare_arrays, subtrees};
use super::param_chunks::{self, ParamChunk};
use super::tensor_groups::TensorGroups;
use super::workers::ActiveWorkers;
use super::world::{Lost, World};
use crate::graph::CompiledNetwork;
use crate::spec::Role;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::bytes;
use nn_kernels::chunk_queue::ChunkQueue;
use nn_kernels::simd::Isa;

/// What a rank computes the gradients of leaves from.
pub(super) trait LeafGrads: Sync {
    /// Adds the gradient of a range of parameters from these samples of the batch, a leaf, to `grad`; or
    /// overwrites it where told. `scratch` is for layers.
    fn leaf(&self, scratch: &mut [f32], samples: Range<usize>, range: &Range<usize>, grad: &mut [f32], overwrite: bool);
}

/// A subtree, and where its sums are among what is received: those of its rank begin after `before` floats,
/// and it is one `of` so many that lie side by side for each chunk.
struct ReceivedSubtree {
    tree: Subtree,
    before: usize,
    number: usize,
    of: usize,
}

/// The memory of the exchange, and how parameters and leaves are dealt out.
pub(super) struct SharedGrads {
    chunks: Vec<ParamChunk>,
    taken: Vec<AtomicBool>,
    /// Which chunks each rank adds up, and where these lie among the parameters.
    owned: Vec<Range<usize>>,
    spans: Vec<Range<usize>>,
    leaves: Leaves,
    /// What each rank sends.
    subtrees: Vec<Vec<Subtree>>,
    /// The same in one list, in the order of leaves.
    pieces: Vec<ReceivedSubtree>,
    /// Of this rank's subtrees: chunk after chunk, of each one array for each subtree.
    own: AlignedBuffer,
    /// Where the chunks lie there.
    own_places: Vec<Range<usize>>,
    /// Of each rank what it sends here, laid out as there.
    received: AlignedBuffer,
    /// The sum of what is this rank's share.
    sum: AlignedBuffer,
    /// Where its chunks lie there.
    sum_places: Vec<Range<usize>>,
    spare: Vec<AlignedBuffer>,
    grads: AlignedBuffer,
}

impl SharedGrads {
    pub(super) fn new(map: &'static CompiledNetwork, groups: &TensorGroups, world: &World) -> SharedGrads {
        let chunks = param_chunks::by_size(map, Role::Trainable, groups, world.size());
        let owned = deal(&chunks, world.size());
        let place = |chunks: &[ParamChunk]| match chunks {
            [] => 0..0,
            [first, .., last] => first.range.start..last.range.end,
            [one] => one.range.clone(),
        };
        let spans: Vec<Range<usize>> = owned.iter().map(|own| place(&chunks[own.clone()])).collect();
        let own = spans[world.rank()].clone();
        let sum_places = chunks[owned[world.rank()].clone()].iter();
        SharedGrads {
            taken: chunks.iter().map(|_| AtomicBool::new(false)).collect(),
            sum_places: sum_places.map(|chunk| chunk.range.start - own.start..chunk.range.end - own.start).collect(),
            sum: AlignedBuffer::zeroed(own.len()),
            chunks,
            owned,
            spans,
            leaves: Leaves::default(),
            subtrees: Vec::new(),
            pieces: Vec::new(),
            own: AlignedBuffer::zeroed(0),
            own_places: Vec::new(),
            received: AlignedBuffer::zeroed(0),
            spare: Vec::new(),
            grads: AlignedBuffer::zeroed(map.params_len),
        }
    }

    /// Deals out the leaves of a batch, and makes room for what is sent.
    fn deal(&mut self, world: &World, leaves: Leaves, workers: usize) {
        if self.leaves == leaves && self.spare.len() >= workers {
            return;
        }
        self.leaves = leaves;
        let ranks = world.size();
        self.subtrees = (0..ranks).map(|rank| subtrees(leaves.of_rank(rank, ranks))).collect();
        let mut before = 0;
        self.pieces.clear();
        for trees in &self.subtrees {
            let each = trees.iter().enumerate();
            self.pieces.extend(each.map(|(number, tree)| ReceivedSubtree {
                tree: *tree,
                before,
                number,
                of: trees.len(),
            }));
            before += trees.len() * self.sum.len();
        }
        let count = self.subtrees[world.rank()].len();
        let scaled = |chunk: &ParamChunk| chunk.range.start * count..chunk.range.end * count;
        self.own_places = self.chunks.iter().map(scaled).collect();
        grow(&mut self.own, self.grads.len() * count);
        grow(&mut self.received, before);
        let longest = self.chunks.iter().map(|chunk| chunk.range.len()).max().unwrap_or(0);
        let spare = longest * spare_arrays(leaves.count());
        self.spare = (0..workers).map(|_| AlignedBuffer::zeroed(spare)).collect();
    }

    /// The gradient of the whole batch, laid out as parameters are, from the leaves that this rank has run.
    pub(super) fn reduce(
        &mut self,
        isa: Isa,
        world: &World,
        workers: ActiveWorkers,
        leaves: Leaves,
        source: &impl LeafGrads,
    ) -> Result<&mut AlignedBuffer, Lost> {
        let ActiveWorkers { pool, scratch } = workers;
        self.deal(world, leaves, scratch.len());
        let SharedGrads { chunks, taken, owned, spans, subtrees, pieces, own_places, sum_places, .. } = self;
        let (rank, count) = (world.rank(), leaves.count());
        let own_trees = &subtrees[rank];
        if !own_trees.is_empty() {
            let queue = ChunkQueue::new([&mut *self.own], own_places, taken, scratch.len());
            let spare = &mut self.spare[..scratch.len()];
            pool.for_each_zip(&mut *scratch, spare, |scratch, spare| {
                queue.each(scratch.worker, |i, [sums]| {
                    let chunk = &chunks[i];
                    let mut leaf = |of: Subtree, grad: &mut [f32]| {
                        if of.width > 1 {
                            return false;
                        }
                        if !chunk.overwrite() {
                            grad.fill(0.0);
                        }
                        let samples = leaves.samples_of(&(of.first..of.first + 1));
                        source.leaf(&mut scratch.layers, samples, &chunk.range, grad, chunk.overwrite());
                        true
                    };
                    for (tree, sum) in own_trees.iter().zip(sums.chunks_exact_mut(chunk.range.len())) {
                        add_up(isa, *tree, count, &mut leaf, sum, spare);
                    }
                });
            });
        }
        let mine = spans[rank].clone();
        if spans.len() == 1 && mine.start == 0 {
            // The only rank has what it would send itself.
            core::mem::swap(&mut self.own, &mut self.received);
        } else {
            SharedGrads::scatter(world, (&self.own, &mut self.received), spans, subtrees)?;
        }
        let received = &self.received;
        let queue = ChunkQueue::new([&mut *self.sum], sum_places, taken, scratch.len());
        let first = owned[rank].start;
        let spare = &mut self.spare[..scratch.len()];
        pool.for_each_zip(scratch, spare, |scratch, spare| {
            queue.each(scratch.worker, |i, [sum]| {
                let (range, place) = (&chunks[first + i].range, &sum_places[i]);
                let mut piece = |of: Subtree, to: &mut [f32]| {
                    let found = pieces.binary_search_by_key(&of.first, |piece| piece.tree.first);
                    let Some(piece) = found.ok().map(|i| &pieces[i]).filter(|piece| piece.tree == of) else {
                        return false;
                    };
                    let at = piece.before + place.start * piece.of + piece.number * range.len();
                    to.copy_from_slice(&received[at..at + range.len()]);
                    true
                };
                add_up(isa, Subtree::root(count), count, &mut piece, sum, spare);
            });
        });
        world.gather(&self.sum, spans, &mut self.grads)?;
        Ok(&mut self.grads)
    }

    /// Sends each rank the sums of what is its share.
    fn scatter(
        world: &World,
        (own, received): (&[f32], &mut [f32]),
        spans: &[Range<usize>],
        subtrees: &[Vec<Subtree>],
    ) -> Result<(), Lost> {
        let (count, mine) = (subtrees[world.rank()].len(), spans[world.rank()].len());
        let share = |span: &Range<usize>| bytes::of(&own[span.start * count..span.end * count]);
        let send: Vec<&[u8]> = spans.iter().map(share).collect();
        let mut rest = received;
        let mut receive = Vec::with_capacity(subtrees.len());
        for trees in subtrees {
            let from = rest.split_off_mut(..trees.len() * mine).expect("there is room for what all send");
            receive.push(bytes::of_mut(from));
        }
        world.exchange(&send, &mut receive)
    }
}

/// Makes a buffer at least so long.
fn grow(buffer: &mut AlignedBuffer, len: usize) {
    if buffer.len() < len {
        *buffer = AlignedBuffer::zeroed(len);
    }
}

/// Chunks in a row for each rank, of about as many floats.
fn deal(chunks: &[ParamChunk], ranks: usize) -> Vec<Range<usize>> {
    let all: usize = chunks.iter().map(|chunk| chunk.range.len()).sum();
    let mut ends = vec![0; ranks];
    let mut before = 0;
    for (i, chunk) in chunks.iter().enumerate() {
        // By the middle of the chunk.
        let rank = (before + chunk.range.len() / 2) * ranks / all.max(1);
        ends[rank.min(ranks - 1)] = i + 1;
        before += chunk.range.len();
    }
    let mut from = 0;
    let each = ends.into_iter().map(|end| {
        let end = end.max(from);
        let range = from..end;
        from = end;
        range
    });
    each.collect()
}
