//! New parameters on their way to all ranks. In: those of this rank's share, which are made beside the ones
//! that are learnt from; out: those of all ranks in their place or, where a rank is lost, the parameters as
//! they were.

use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::AtomicBool;

use super::shares::Shares;
use super::workers::ActiveWorkers;
use super::world::{Lost, SharedWindow, World};
use crate::distributed::Parts;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::chunk_queue::ChunkQueue;

/// The memory of it.
#[derive(Default)]
pub(super) struct NewParams {
    window: SharedWindow,
    /// Where the ranks have no memory together: what this one sends, and all parameters.
    send: Parts,
    receive: Parts,
}

impl NewParams {
    /// Room for this rank's share, to be handed out, and for a copy of it, which is empty where none is
    /// wanted. What no step changes, in the ranges `rest`, needs none.
    pub(super) fn room(
        &mut self,
        world: &World,
        shares: &Shares,
        rest: &[Range<usize>],
        params: &[f32],
    ) -> Result<[&mut [f32]; 2], Lost> {
        let span = shares.span();
        let most = shares.spans().iter().map(Range::len).max().unwrap_or(0);
        if let Some(parts) = self.window.of(world, most)? {
            return Ok([&mut world.wait(|| parts.write())?[..span.len()], &mut []]);
        }
        let (rank, changed) = (world.rank(), shares.changed_by_all());
        let own = match changed[rank].is_empty() {
            true => 0..0,
            false => changed[rank].start - span.start..changed[rank].end - span.start,
        };
        self.send.lay_out_alike(span.len(), own, changed.len());
        let of_others = changed.iter().enumerate().map(|(from, range)| if from == rank { 0..0 } else { range.clone() });
        self.receive.lay_out_at(params.len(), of_others);
        let [sent, all] = [&mut self.send, &mut self.receive].map(|parts| &mut parts.numbers()[..]);
        for range in rest {
            all[range.clone()].copy_from_slice(&params[range.clone()]);
            let (from, to) = (range.start.max(span.start), range.end.min(span.end));
            if from < to {
                sent[from - span.start..to - span.start].copy_from_slice(&params[from..to]);
            }
        }
        Ok([&mut sent[..span.len()], &mut all[span]])
    }

    /// Gives all ranks this one's share, and puts those of all, in these chunks, in the place of the
    /// parameters.
    ///
    /// # Errors
    /// A rank is lost; the parameters are as before.
    pub(super) fn hand_out(
        &mut self,
        world: &World,
        workers: &mut ActiveWorkers,
        shares: &Shares,
        (chunks, taken): (&[Range<usize>], &mut [AtomicBool]),
        params: &mut AlignedBuffer,
    ) -> Result<(), Lost> {
        let Some(parts) = self.window.granted() else {
            world.exchange_while(&mut self.send, &mut self.receive, &mut || {})?;
            core::mem::swap(params, self.receive.numbers());
            return Ok(());
        };
        world.wait(|| parts.show())?;
        let shown: Vec<&[f32]> = (0..world.size()).map(|rank| parts.part(rank)).collect();
        let queue = ChunkQueue::new([&mut params[..]], chunks, taken, workers.scratch.len());
        workers.pool.for_each(&mut *workers.scratch, |scratch| {
            queue.each(scratch.worker, |i, [params]| {
                let rank = shares.rank_of(i);
                let at = chunks[i].start - shares.spans()[rank].start;
                params.copy_from_slice(&shown[rank][at..at + params.len()]);
            });
        });
        parts.release();
        Ok(())
    }
}
