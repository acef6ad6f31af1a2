//! Which parameters each rank updates. In: the chunks of all parameters; out: chunks in a row for each rank,
//! and the ranges of which it alone remembers what an optimiser keeps.

use alloc::vec;
use alloc::vec::Vec;
use core::iter::once;
use core::ops::Range;

use super::param_chunks::ParamChunk;
use super::world::{Lost, World};

/// For how many workers the parameters are cut where so many ranks share them.
pub(super) fn sharing_workers(ranks: usize) -> usize {
    ranks.max(8)
}

/// The parameters, dealt out to ranks.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Shares {
    rank: usize,
    /// The chunks of each rank.
    owned: Vec<Range<usize>>,
    /// What each rank remembers something of: together all parameters, also those that rest.
    spans: Vec<Range<usize>>,
    /// What each rank changes: from its first chunk to its last.
    changed: Vec<Range<usize>>,
}

impl Shares {
    /// Of one that has so many chunks of so many parameters to itself.
    pub(super) fn alone(chunks: usize, params: usize) -> Shares {
        let all: Vec<Range<usize>> = once(0..params).collect();
        Shares { rank: 0, owned: once(0..chunks).collect(), spans: all.clone(), changed: all }
    }

    /// Chunks in a row for each of so many ranks, of about as many floats.
    pub(super) fn deal(chunks: &[ParamChunk], (rank, ranks): (usize, usize), params: usize) -> Shares {
        let owned = deal(chunks, ranks);
        let place = |chunks: &[ParamChunk]| match chunks {
            [] => 0..0,
            [first, .., last] => first.range.start..last.range.end,
            [one] => one.range.clone(),
        };
        let changed: Vec<Range<usize>> = owned.iter().map(|own| place(&chunks[own.clone()])).collect();
        // What lies between two ranks' chunks is the earlier one's; the last with any has the rest.
        let last = changed.iter().rposition(|range| !range.is_empty()).unwrap_or(0);
        let mut end = 0;
        let span = |(rank, range): (usize, &Range<usize>)| {
            let start = end;
            let next = changed[rank + 1..].iter().find(|range| !range.is_empty());
            end = match next {
                _ if rank == last => params,
                Some(next) if !range.is_empty() => next.start,
                _ => start,
            };
            start..end
        };
        let spans = changed.iter().enumerate().map(span).collect();
        Shares { rank, owned, spans, changed }
    }

    pub(super) fn own_chunks(&self) -> Range<usize> {
        self.owned[self.rank].clone()
    }

    pub(super) fn chunks_of(&self, rank: usize) -> Range<usize> {
        self.owned[rank].clone()
    }

    /// Who updates this chunk.
    pub(super) fn rank_of(&self, chunk: usize) -> usize {
        self.owned.iter().position(|own| own.contains(&chunk)).expect("every chunk is some rank's")
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.spans[self.rank].clone()
    }

    pub(super) fn spans(&self) -> &[Range<usize>] {
        &self.spans
    }

    /// What this rank changes, and tells the others of.
    pub(super) fn changed(&self) -> Range<usize> {
        self.changed[self.rank].clone()
    }

    /// The same of each rank.
    pub(super) fn changed_by_all(&self) -> &[Range<usize>] {
        &self.changed
    }

    /// The sum, in the order of the chunks, of what each rank has of its own.
    pub(super) fn of_all_chunks(&self, world: &World, own: &[f64]) -> Result<f64, Lost> {
        let all = world.all_numbers(own, self.owned.iter().map(Range::len))?;
        Ok(all.iter().fold(0.0, |sum, of| sum + of))
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
