//! The gradient of a batch that ranks share. In: the gradient of each leaf that this rank has run; out: that
//! of the whole batch, of the parameters that this rank updates: the same bits for any number of ranks. Each
//! adds up its full subtrees, sends every other rank what is of that one's share (reduce-scatter), and adds
//! up what comes in the order of the tree. Messages go in rounds, one while the next is computed.

use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::AtomicBool;

use super::leaf_sums::{Came, LeafGrads, OwnLeaves};
use super::leaves::{Leaves, Subtree, add_rest, add_up, spare_arrays, subtrees};
use super::param_chunks::ParamChunk;
use super::shares::Shares;
use super::workers::{ActiveWorkers, ThreadPool, WorkerScratch};
use super::world::{Lost, SharedWindow, World};
use crate::distributed::{Parts, SharedParts};
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::chunk_queue::ChunkQueue;
use nn_kernels::simd::Isa;

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

/// Numbers on their way.
#[derive(Default)]
struct Messages {
    send: Parts,
    receive: Parts,
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
    /// Where each rank reads what is of its share; and where they have no such memory:
    window: SharedWindow,
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
            window: SharedWindow::default(),
            messages: Default::default(),
            spare: Vec::new(),
            apart: AlignedBuffer::zeroed(0),
        }
    }

    /// Deals out the leaves of a batch, and makes room for what is added up.
    fn deal(&mut self, world: &World, leaves: Leaves, workers: usize) -> Result<(), Lost> {
        if self.leaves == leaves && self.spare.len() >= workers {
            return Ok(());
        }
        self.leaves = leaves;
        let ranks = world.size();
        self.subtrees = (0..ranks).map(|rank| subtrees(leaves.of_rank(rank, ranks))).collect();
        let whole = self.round(world.rank(), 0, 1);
        let sent_by = |from| (0..ranks).map(|to| sent(&whole, &self.subtrees, from, to)).sum();
        let most = (0..ranks).map(sent_by).max().unwrap_or(0);
        let rounds = match self.window.of(world, most)? {
            Some(_) => 1,
            None => rounds(self.len(0..self.chunks.len()), &self.subtrees),
        };
        self.rounds = (0..rounds).map(|t| self.round(world.rank(), t, rounds)).collect();
        let longest = self.chunks.iter().map(|chunk| chunk.range.len()).max().unwrap_or(0);
        let spare = longest * spare_arrays(leaves.count());
        self.spare = (0..workers).map(|_| AlignedBuffer::zeroed(spare)).collect();
        Ok(())
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
        self.deal(world, leaves, scratch.len())?;
        let SharedGrads { chunks, taken, subtrees, rounds, window, messages: [this, other], spare, .. } = self;
        let (rank, spare) = (world.rank(), &mut spare[..scratch.len()]);
        let batch = SharedBatch { isa, rank, chunks, leaves, subtrees, leaf_grads };
        let mut crew = Crew { pool, scratch, spare, taken };
        if let ([all], 1) = (&rounds[..], world.size()) {
            batch.compute(&mut crew, (&all.own, &all.own_places), &[Subtree::root(leaves.count())], to);
            return Ok(());
        }
        if let Some(parts) = window.granted() {
            return batch.reduce_in(parts, world, &mut crew, &rounds[0], to);
        }
        let (mut now, mut next) = (this, other);
        batch.fill(&mut crew, &rounds[0], now, to);
        for (t, round) in rounds.iter().enumerate() {
            let Messages { send, receive } = now;
            let came = |from| if from == rank { 0 } else { sent(round, subtrees, from, rank) };
            receive.lay_out((0..world.size()).map(came));
            world.exchange_while(send, receive, &mut || {
                // What has come of the round before; then what goes next.
                if t > 0 {
                    batch.add_up(&mut crew, &rounds[t - 1], &next.came(rank), to);
                }
                if let Some(round) = rounds.get(t + 1) {
                    batch.fill(&mut crew, round, next, to);
                }
            })?;
            (now, next) = (next, now);
        }
        batch.add_up(&mut crew, &rounds[rounds.len() - 1], &next.came(rank), to);
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

/// Floats that a rank sends another in a round: nothing to itself where it has one subtree.
fn sent(round: &Round, subtrees: &[Vec<Subtree>], from: usize, to: usize) -> usize {
    match subtrees[from].len() {
        1 if from == to => 0,
        trees => round.lens[to] * trees,
    }
}

impl Messages {
    /// What each rank has of this one's share.
    fn came(&self, rank: usize) -> Vec<&[f32]> {
        let of = |from| if from == rank { self.send.part(from) } else { self.receive.part(from) };
        (0..self.send.ranks()).map(of).collect()
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
        messages.send.lay_out((0..self.subtrees.len()).map(|to| sent(round, self.subtrees, self.rank, to)));
        self.compute(crew, (&round.chunks, &round.places), trees, messages.send.numbers());
        if trees.len() == 1 {
            self.compute(crew, (&round.own, &round.own_places), trees, to);
        }
    }

    /// The whole exchange, in memory that all ranks have: the sums of a chunk of this rank's own are computed
    /// when those of the others are there, and added to while they are warm.
    fn reduce_in(
        &self,
        parts: &mut SharedParts,
        world: &World,
        crew: &mut Crew,
        round: &Round,
        to: &mut [f32],
    ) -> Result<(), Lost> {
        let trees = &self.subtrees[self.rank];
        self.compute(crew, (&round.chunks, &round.places), trees, world.wait(|| parts.write())?);
        world.wait(|| parts.show())?;
        let came = |from| {
            let before: usize = (0..self.rank).map(|to| sent(round, self.subtrees, from, to)).sum();
            &parts.part(from)[before..]
        };
        let came: Vec<&[f32]> = (0..world.size()).map(came).collect();
        self.each_own(crew, round, to, |i, scratch, sum, spare| {
            if let [own] = trees[..] {
                let mut own_leaves = self.own_leaves(round.own[i], scratch);
                add_up(self.isa, own, self.leaves.count(), &mut own_leaves, sum, spare);
            }
            self.add_rest(round, i, &came, sum, spare);
        });
        parts.release();
        Ok(())
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
                let mut sums_of = self.own_leaves(chunks[i], &mut scratch.layers);
                for (tree, sum) in trees.iter().zip(sums.chunks_exact_mut(sums_of.chunk.range.len())) {
                    add_up(self.isa, *tree, self.leaves.count(), &mut sums_of, sum, spare);
                }
            });
        });
    }

    fn own_leaves<'b>(&'b self, chunk: usize, scratch: &'b mut [f32]) -> OwnLeaves<'b, L> {
        OwnLeaves { leaves: self.leaves, grads: self.leaf_grads, chunk: &self.chunks[chunk], scratch }
    }

    /// Adds up what has come in a round.
    fn add_up(&self, crew: &mut Crew, round: &Round, came: &[&[f32]], to: &mut [f32]) {
        self.each_own(crew, round, to, |i, _, sum, spare| self.add_rest(round, i, came, sum, spare));
    }

    /// A job for each of this rank's chunks, with what is for layers, the chunk's sum, and spare memory.
    fn each_own(
        &self,
        crew: &mut Crew,
        round: &Round,
        to: &mut [f32],
        job: impl Fn(usize, &mut [f32], &mut [f32], &mut [f32]) + Sync,
    ) {
        let Crew { pool, scratch, spare, taken } = crew;
        let queue = ChunkQueue::new([to], &round.own_places, taken, scratch.len());
        pool.for_each_zip(scratch, spare, |scratch, spare| {
            queue.each(scratch.worker, |i, [sum]| job(i, &mut scratch.layers, sum, spare));
        });
    }

    /// Makes the i-th sum of this rank's own that of the whole batch: where this rank has one subtree, its
    /// sum is there.
    fn add_rest(&self, round: &Round, i: usize, came: &[&[f32]], sum: &mut [f32], spare: &mut [f32]) {
        let before = round.own_places[..i].iter().map(Range::len).sum();
        let mut sums = Came { isa: self.isa, subtrees: self.subtrees, came, before, len: sum.len() };
        let count = self.leaves.count();
        match self.subtrees[self.rank][..] {
            [own] => add_rest(self.isa, own, count, &mut sums, sum, spare),
            _ => add_up(self.isa, Subtree::root(count), count, &mut sums, sum, spare),
        }
    }
}
