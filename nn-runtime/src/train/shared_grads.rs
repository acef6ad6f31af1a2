//! The gradient of a batch that ranks share. In: the gradient of each leaf that this rank has run; out: that
//! of the whole batch, of the parameters that this rank updates: the same bits for any number of ranks. Each
//! adds up its full subtrees, sends every other rank what is of that one's share (reduce-scatter), and adds
//! up what comes in the order of the tree; in rounds: one is on its way while the next is computed.

use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::AtomicBool;

use super::leaves::{Leaves, Subtree, SubtreeSums, add_rest, add_up, spare_arrays, subtrees};
use super::param_chunks::ParamChunk;
use super::shares::{Messages, Shares};
use super::workers::{ActiveWorkers, ThreadPool, WorkerScratch};
use super::world::{Lost, World};
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::chunk_queue::ChunkQueue;
use nn_kernels::simd::Isa;

/// What a rank computes the gradients of leaves from.
pub(super) trait LeafGrads: Sync {
    /// Overwrites `grad` with the gradient of a chunk from these samples of the batch, a leaf. `scratch` is
    /// for layers.
    fn write(&self, scratch: &mut [f32], samples: Range<usize>, chunk: &ParamChunk, grad: &mut [f32]);

    /// Adds it, to the bits of writing it elsewhere and then adding; false where it cannot.
    fn add(&self, scratch: &mut [f32], samples: Range<usize>, chunk: &ParamChunk, grad: &mut [f32]) -> bool;
}

/// Floats that a rank sends another in a round, about: enough for a message to be worth its while.
const ROUND: usize = 256 * 1024;

/// The most rounds.
const MOST_ROUNDS: usize = 8;

/// Some chunks of each rank's.
struct Round {
    /// The chunks, those of rank 0 first, and where they lie in what is sent: of each one array for each
    /// subtree of this rank. Its own chunks are not among them where it has one subtree.
    chunks: Vec<usize>,
    places: Vec<Range<usize>>,
    /// Floats of each rank's chunks.
    lens: Vec<usize>,
    /// This rank's chunks, and where they lie in its share.
    own: Vec<usize>,
    own_places: Vec<Range<usize>>,
}

/// The memory of the exchange, and how parameters and leaves are dealt out.
pub(super) struct SharedGrads {
    chunks: Vec<ParamChunk>,
    shares: Shares,
    taken: Vec<AtomicBool>,
    leaves: Leaves,
    /// What each rank sends.
    subtrees: Vec<Vec<Subtree>>,
    rounds: Vec<Round>,
    /// Of one round and the next.
    messages: [Messages; 2],
    spare: Vec<AlignedBuffer>,
    /// The share's gradient of a batch that is added to others.
    apart: AlignedBuffer,
}

impl SharedGrads {
    pub(super) fn new(chunks: Vec<ParamChunk>, shares: Shares) -> SharedGrads {
        SharedGrads {
            taken: chunks.iter().map(|_| AtomicBool::new(false)).collect(),
            chunks,
            shares,
            leaves: Leaves::default(),
            subtrees: Vec::new(),
            rounds: Vec::new(),
            messages: Default::default(),
            spare: Vec::new(),
            apart: AlignedBuffer::zeroed(0),
        }
    }

    /// Deals out the leaves of a batch, and makes room for what is added up.
    fn deal(&mut self, world: &World, leaves: Leaves, workers: usize) {
        if self.leaves == leaves && self.spare.len() >= workers {
            return;
        }
        self.leaves = leaves;
        let ranks = world.size();
        self.subtrees = (0..ranks).map(|rank| subtrees(leaves.of_rank(rank, ranks))).collect();
        let rounds = rounds(self.len(0..self.chunks.len()), &self.subtrees);
        self.rounds = (0..rounds).map(|t| self.round(world.rank(), t, rounds)).collect();
        let longest = self.chunks.iter().map(|chunk| chunk.range.len()).max().unwrap_or(0);
        let spare = longest * spare_arrays(leaves.count());
        self.spare = (0..workers).map(|_| AlignedBuffer::zeroed(spare)).collect();
    }

    /// Floats of some chunks.
    fn len(&self, chunks: Range<usize>) -> usize {
        self.chunks[chunks].iter().map(|chunk| chunk.range.len()).sum()
    }

    /// One of so many rounds.
    fn round(&self, rank: usize, t: usize, rounds: usize) -> Round {
        let run = |rank: usize| {
            let Range { start, end } = self.shares.chunks_of(rank);
            start + (end - start) * t / rounds..start + (end - start) * (t + 1) / rounds
        };
        let runs: Vec<Range<usize>> = (0..self.subtrees.len()).map(run).collect();
        let (count, first, mut end) = (self.subtrees[rank].len(), self.shares.span().start, 0);
        let sent = |of: &(usize, &Range<usize>)| of.0 != rank || count != 1;
        let chunks: Vec<usize> = runs.iter().enumerate().filter(sent).flat_map(|(_, run)| run.clone()).collect();
        let place = |&i: &usize| {
            let start = end;
            end += self.chunks[i].range.len() * count;
            start..end
        };
        let in_share = |chunk: &ParamChunk| chunk.range.start - first..chunk.range.end - first;
        Round {
            places: chunks.iter().map(place).collect(),
            chunks,
            own: runs[rank].clone().collect(),
            own_places: self.chunks[runs[rank].clone()].iter().map(in_share).collect(),
            lens: runs.into_iter().map(|run| self.len(run)).collect(),
        }
    }

    /// As [`reduce`](SharedGrads::reduce), to a buffer of its own of so many floats.
    pub(super) fn reduce_apart(
        &mut self,
        isa: Isa,
        workers: &mut ActiveWorkers,
        leaves: Leaves,
        leaf_grads: &impl LeafGrads,
        len: usize,
    ) -> Result<&[f32], Lost> {
        let mut apart = core::mem::take(&mut self.apart);
        if apart.len() != len {
            apart = AlignedBuffer::zeroed(len);
        }
        let reduced = self.reduce(isa, workers, leaves, leaf_grads, &mut apart);
        self.apart = apart;
        reduced.map(|()| &self.apart[..])
    }

    /// The gradient of the whole batch of this rank's share, from the leaves that it and others have run.
    pub(super) fn reduce(
        &mut self,
        isa: Isa,
        workers: &mut ActiveWorkers,
        leaves: Leaves,
        leaf_grads: &impl LeafGrads,
        to: &mut [f32],
    ) -> Result<(), Lost> {
        let ActiveWorkers { pool, scratch, world } = workers;
        let world = world.expect("a batch is shared with other ranks");
        self.deal(world, leaves, scratch.len());
        let SharedGrads { chunks, taken, subtrees, rounds, messages: [this, other], spare, .. } = self;
        let (rank, spare) = (world.rank(), &mut spare[..scratch.len()]);
        let batch = SharedBatch { isa, rank, chunks, leaves, subtrees, leaf_grads };
        let mut crew = Crew { pool, scratch, spare, taken };
        if let ([all], 1) = (&rounds[..], world.size()) {
            batch.compute(&mut crew, (&all.own, &all.own_places), &[Subtree::root(leaves.count())], to);
            return Ok(());
        }
        let (mut now, mut next) = (this, other);
        batch.fill(&mut crew, &rounds[0], now, to);
        for (t, round) in rounds.iter().enumerate() {
            let Messages { send, receive } = now;
            receive.lay_out(subtrees.iter().enumerate().map(|(from, trees)| match from == rank {
                true => 0,
                false => round.lens[rank] * trees.len(),
            }));
            world.exchange_while(send, receive, &mut || {
                // What has come of the round before; then what goes next.
                if t > 0 {
                    batch.add_up(&mut crew, &rounds[t - 1], next, to);
                }
                if let Some(round) = rounds.get(t + 1) {
                    batch.fill(&mut crew, round, next, to);
                }
            })?;
            (now, next) = (next, now);
        }
        batch.add_up(&mut crew, &rounds[rounds.len() - 1], next, to);
        Ok(())
    }
}

/// In how many rounds so many floats are exchanged.
fn rounds(floats: usize, subtrees: &[Vec<Subtree>]) -> usize {
    let most = subtrees.iter().map(Vec::len).max().unwrap_or(0);
    match subtrees.len() {
        1 => 1,
        ranks => (floats * most / ranks / ROUND).clamp(1, MOST_ROUNDS),
    }
}

/// Those who compute.
struct Crew<'a> {
    pool: &'a mut ThreadPool,
    scratch: &'a mut [WorkerScratch],
    spare: &'a mut [AlignedBuffer],
    taken: &'a mut [AtomicBool],
}

/// What all rounds of a batch are computed from.
struct SharedBatch<'a, L> {
    isa: Isa,
    rank: usize,
    chunks: &'a [ParamChunk],
    leaves: Leaves,
    subtrees: &'a [Vec<Subtree>],
    leaf_grads: &'a L,
}

impl<L: LeafGrads> SharedBatch<'_, L> {
    /// Computes what a round sends. Where this rank has one subtree, the sum of its own chunks begins where
    /// it is to be.
    fn fill(&self, crew: &mut Crew, round: &Round, messages: &mut Messages, to: &mut [f32]) {
        let trees = &self.subtrees[self.rank];
        let len = |(rank, len): (usize, &usize)| match rank == self.rank && trees.len() == 1 {
            true => 0,
            false => len * trees.len(),
        };
        messages.send.lay_out(round.lens.iter().enumerate().map(len));
        self.compute(crew, (&round.chunks, &round.places), trees, messages.send.numbers());
        if trees.len() == 1 {
            self.compute(crew, (&round.own, &round.own_places), trees, to);
        }
    }

    /// The sums of some subtrees, all of leaves that this rank has run: of each chunk one array for each.
    fn compute(
        &self,
        crew: &mut Crew,
        (chunks, places): (&[usize], &[Range<usize>]),
        trees: &[Subtree],
        to: &mut [f32],
    ) {
        if trees.is_empty() {
            return;
        }
        let Crew { pool, scratch, spare, taken } = crew;
        let queue = ChunkQueue::new([to], places, taken, scratch.len());
        pool.for_each_zip(scratch, spare, |scratch, spare| {
            queue.each(scratch.worker, |i, [sums]| {
                let chunk = &self.chunks[chunks[i]];
                let (leaves, grads, scratch) = (self.leaves, self.leaf_grads, &mut scratch.layers[..]);
                let mut sums_of = OwnLeaves { leaves, grads, chunk, scratch };
                for (tree, sum) in trees.iter().zip(sums.chunks_exact_mut(chunk.range.len())) {
                    add_up(self.isa, *tree, leaves.count(), &mut sums_of, sum, spare);
                }
            });
        });
    }

    /// Adds up what has come in a round.
    fn add_up(&self, crew: &mut Crew, round: &Round, from: &Messages, to: &mut [f32]) {
        let Crew { pool, scratch, spare, taken } = crew;
        let queue = ChunkQueue::new([to], &round.own_places, taken, scratch.len());
        pool.for_each_zip(scratch, spare, |scratch, spare| {
            queue.each(scratch.worker, |i, [sum]| {
                let len = sum.len();
                let before = round.own_places[..i].iter().map(Range::len).sum();
                let mut sums = Came { isa: self.isa, rank: self.rank, subtrees: self.subtrees, from, before, len };
                let count = self.leaves.count();
                match self.subtrees[self.rank][..] {
                    [own] => add_rest(self.isa, own, count, &mut sums, sum, spare),
                    _ => add_up(self.isa, Subtree::root(count), count, &mut sums, sum, spare),
                }
            });
        });
    }
}

/// The leaves of this rank, of a chunk.
struct OwnLeaves<'a, L> {
    leaves: Leaves,
    grads: &'a L,
    chunk: &'a ParamChunk,
    scratch: &'a mut [f32],
}

impl<L: LeafGrads> OwnLeaves<'_, L> {
    fn samples(&self, of: Subtree) -> Range<usize> {
        self.leaves.samples_of(&(of.first..of.first + 1))
    }
}

impl<L: LeafGrads> SubtreeSums for OwnLeaves<'_, L> {
    fn write(&mut self, of: Subtree, to: &mut [f32]) -> bool {
        if of.width == 1 {
            self.grads.write(self.scratch, self.samples(of), self.chunk, to);
        }
        of.width == 1
    }

    fn add(&mut self, of: Subtree, to: &mut [f32]) -> bool {
        of.width == 1 && self.grads.add(self.scratch, self.samples(of), self.chunk, to)
    }
}

/// What has come of a chunk, which has so many floats, after those of so many others.
struct Came<'a> {
    isa: Isa,
    rank: usize,
    subtrees: &'a [Vec<Subtree>],
    from: &'a Messages,
    before: usize,
    len: usize,
}

impl Came<'_> {
    fn sum(&self, of: Subtree) -> Option<&[f32]> {
        // The rank whose last leaf is not before this one.
        let ends = |trees: &Vec<Subtree>| trees.last().is_some_and(|last| last.first + last.width > of.first);
        let rank = self.subtrees.iter().position(ends)?;
        let trees = &self.subtrees[rank];
        let number = trees.iter().position(|tree| *tree == of)?;
        let part = if rank == self.rank { self.from.send.part(rank) } else { self.from.receive.part(rank) };
        let at = self.before * trees.len() + number * self.len;
        Some(&part[at..at + self.len])
    }
}

impl SubtreeSums for Came<'_> {
    fn write(&mut self, of: Subtree, to: &mut [f32]) -> bool {
        self.sum(of).is_some_and(|sum| {
            to.copy_from_slice(sum);
            true
        })
    }

    fn add(&mut self, of: Subtree, to: &mut [f32]) -> bool {
        self.sum(of).is_some_and(|sum| {
            self.isa.add(sum, to);
            true
        })
    }
}
