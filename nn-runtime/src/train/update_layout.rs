//! How an update is cut for the settings it has: chunks of the parameters, which of them this rank updates,
//! and what a worker needs. In: settings, workers, other ranks; out: memory of the right size, in which
//! everything that was remembered still is.

use alloc::vec::Vec;
use core::iter::once;
use core::ops::Range;
use core::sync::atomic::AtomicBool;

use super::clip::Clip;
use super::param_chunks::{self, ChunkCut, ParamChunk};
use super::param_cut::{ParamCut, factors};
use super::shares::{Shares, sharing_workers};
use super::update::Update;
use super::workers::WorkerScratch;
use super::world::{Lost, World};
use crate::optim::Optimizer;
use crate::spec::Role;
use nn_kernels::aligned_buffer::AlignedBuffer;

impl Update {
    /// All chunks of the parameters, as the settings want them.
    pub(super) fn chunks(&self, optimizer: &impl Optimizer, workers: usize) -> Vec<ParamChunk> {
        let by_tensor = optimizer.per_tensor() || matches!(self.clip, Some(Clip::Norm(_)));
        // Where a norm of all is taken, the sums it is made of may not depend on the workers; nor may shares,
        // where nothing but a setting moves them.
        let ranks = self.sharing.map_or(1, |(_, ranks)| ranks);
        let workers = match (self.grads_given, self.accumulates()) {
            (true, true) => sharing_workers(1),
            (true, false) => sharing_workers(ranks),
            (false, true) => 1,
            (false, false) => workers,
        };
        let cut = if by_tensor { ChunkCut::ByTensor } else { ChunkCut::for_workers(self.map, workers) };
        param_chunks::list(self.map, Role::Trainable, cut, &self.groups)
    }

    /// Cuts the parameters and makes room, as the settings want it, for so many workers and batches of so
    /// many samples. Accumulated gradients stay, and so does what the optimiser remembers: where other
    /// parameters are this rank's share than before, ranks tell each other.
    pub(super) fn layout(
        &mut self,
        optimizer: &impl Optimizer,
        workers: usize,
        samples: usize,
        world: Option<&World>,
    ) -> Result<(), Lost> {
        let mut chunks = self.chunks(optimizer, workers);
        let shares = match self.sharing {
            None => Shares::alone(chunks.len(), self.map.params_len),
            Some(rank) => Shares::deal(&chunks, rank, self.map.params_len),
        };
        self.move_to(shares, world)?;
        self.all_ranges = chunks.iter().map(|chunk| chunk.range.clone()).collect();
        self.all_taken = chunks.iter().map(|_| AtomicBool::new(false)).collect();
        self.rest = rest_of(&self.all_ranges, self.map.params_len);
        let factors = factors(&chunks);
        let own = self.shares.own_chunks();
        chunks.truncate(own.end);
        chunks.drain(..own.start);
        let samples = Some(samples).filter(|_| !self.accumulates() && !self.grads_given);
        self.cut = ParamCut::new(self.map, chunks, (self.shares.span().start, factors), samples);
        self.taken = self.cut.chunks.iter().map(|_| AtomicBool::new(false)).collect();
        Ok(())
    }

    /// Makes what is remembered that of other shares.
    fn move_to(&mut self, shares: Shares, world: Option<&World>) -> Result<(), Lost> {
        let span = shares.span();
        if shares.spans() != self.shares.spans() {
            if let Some(world) = world.filter(|_| self.shares.spans().len() > 1) {
                self.state = self.state.of_all_ranks(world, self.shares.spans())?;
                if self.batches > 0 {
                    let mut all = AlignedBuffer::zeroed(self.map.params_len);
                    world.gather(&self.grads, self.shares.spans(), &mut all)?;
                    self.grads = all;
                }
            }
            self.undo = None;
        }
        self.shares = shares;
        self.state.keep_part(&span);
        if self.grads.len() != span.len() {
            let held = if self.grads.len() < span.end {
                AlignedBuffer::zeroed(span.end)
            } else {
                core::mem::take(&mut self.grads)
            };
            self.grads = AlignedBuffer::zeroed(span.len());
            self.grads.copy_from_slice(&held[span.clone()]);
        }
        let before = if self.accumulate > 1 { span.len() } else { 0 };
        if self.before.len() != before {
            self.before = AlignedBuffer::zeroed(before);
        }
        Ok(())
    }

    /// What a worker needs to itself, with so much scratch for layers.
    pub(super) fn worker_scratch(&self, worker: usize, layers: usize, optimizer: &impl Optimizer) -> WorkerScratch {
        let whole =
            self.cut.chunks.iter().flat_map(|chunk| &chunk.layout).map(|layout| optimizer.scratch(layout)).max();
        let is_held = |i: &usize| self.cut.held.contains(i);
        let others = self.cut.chunks.iter().enumerate().filter(|(i, _)| !is_held(i));
        let longest = others.map(|(_, chunk)| chunk.range.len()).max().unwrap_or(0);
        WorkerScratch {
            worker,
            layers: AlignedBuffer::zeroed(layers),
            grad: AlignedBuffer::zeroed(longest),
            largest: 0.0,
            optimizer: AlignedBuffer::zeroed(whole.unwrap_or(0)),
        }
    }
}

/// What lies before, between and after some ranges in order.
fn rest_of(ranges: &[Range<usize>], len: usize) -> Vec<Range<usize>> {
    let ends = once(0).chain(ranges.iter().map(|range| range.end));
    let starts = ranges.iter().map(|range| range.start).chain(once(len));
    ends.zip(starts).map(|(end, start)| end..start).filter(|range| !range.is_empty()).collect()
}
