//! What a trainer has of the other ranks: messages in the order of ranks, and the first thing that went wrong
//! with them. In: what this rank has; out: what all have. It adds nothing up.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::OnceCell;
use core::ops::Range;

use super::leaves::Leaves;
use super::loss_sums::LossSums;
use super::split::LOSS_BLOCK;
#[cfg(feature = "std")]
use super::{History, TrainError};
use crate::distributed::{CommunicationError, Communicator, Parts, SharedParts};
use nn_kernels::bytes;

/// Ranks cannot go on together; [`World::fault`] tells why.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Lost;

/// Memory that ranks of one machine have together; all ask for it alike.
#[derive(Default)]
pub(super) struct SharedWindow {
    parts: Option<SharedParts>,
    /// For how many numbers of each rank it has been asked.
    asked: Option<usize>,
}

impl SharedWindow {
    /// With room for so many numbers of each rank; none where the ranks have no memory together.
    pub(super) fn of(&mut self, world: &World, len: usize) -> Result<Option<&mut SharedParts>, Lost> {
        let short = self.asked.is_none_or(|asked| asked < len && self.parts.is_some());
        if short && world.size() > 1 {
            self.parts = None;
            self.parts = world.wait(|| world.engine.shared(len))?;
            self.asked = Some(len);
        }
        Ok(self.parts.as_mut())
    }

    /// What has been asked for, where the ranks have it.
    pub(super) fn granted(&mut self) -> Option<&mut SharedParts> {
        self.parts.as_mut()
    }
}

/// The ranks that train together.
pub(super) struct World {
    engine: Box<dyn Communicator>,
    /// What went wrong first: nothing is sent after that.
    fault: OnceCell<CommunicationError>,
}

impl World {
    pub(super) fn new(engine: impl Communicator + 'static) -> World {
        World { engine: Box::new(engine), fault: OnceCell::new() }
    }

    #[inline]
    pub(super) fn rank(&self) -> usize {
        self.engine.rank()
    }

    #[inline]
    pub(super) fn size(&self) -> usize {
        self.engine.size()
    }

    /// What a call that has lost the others ends with.
    #[cfg(feature = "std")]
    pub(super) fn error(&self, history: History) -> Option<TrainError> {
        let error = self.fault.get()?.clone();
        Some(TrainError::Distributed { error, history })
    }

    /// Whether all others are there, as far as is known.
    pub(super) fn check(&self) -> Result<(), Lost> {
        if self.fault.get().is_some() { Err(Lost) } else { Ok(()) }
    }

    /// See [`Communicator::exchange`].
    pub(super) fn exchange(&self, send: &[&[u8]], receive: &mut [&mut [u8]]) -> Result<(), Lost> {
        self.check()?;
        self.engine.exchange(send, receive).map_err(|error| self.loses(error))
    }

    /// What is done with memory that ranks have together, unless others are lost before or meanwhile.
    pub(super) fn wait<T>(&self, result: impl FnOnce() -> Result<T, CommunicationError>) -> Result<T, Lost> {
        self.check()?;
        result().map_err(|error| self.loses(error))
    }

    fn loses(&self, error: CommunicationError) -> Lost {
        let _ = self.fault.set(error);
        Lost
    }

    /// See [`Communicator::exchange_while`]. Where other ranks are lost before, nothing is done.
    pub(super) fn exchange_while(
        &self,
        send: &mut Parts,
        receive: &mut Parts,
        work: &mut dyn FnMut(),
    ) -> Result<(), Lost> {
        self.check()?;
        self.engine.exchange_while(send, receive, work).map_err(|error| self.loses(error))
    }

    /// The least of the numbers that ranks have, place by place.
    pub(super) fn least<const K: usize>(&self, own: [u64; K]) -> Result<[u64; K], Lost> {
        let bytes: Vec<u8> = own.iter().flat_map(|number| number.to_le_bytes()).collect();
        let all = self.gather_bytes(&bytes, (0..self.size()).map(|_| bytes.len()))?;
        let mut least = own;
        for (i, bytes) in all.as_chunks().0.iter().enumerate() {
            least[i % K] = least[i % K].min(u64::from_le_bytes(*bytes));
        }
        Ok(least)
    }

    /// The numbers of all ranks in their order, so many of each.
    pub(super) fn all_numbers(&self, own: &[f64], lens: impl Iterator<Item = usize>) -> Result<Vec<f64>, Lost> {
        let own: Vec<u8> = own.iter().flat_map(|number| number.to_le_bytes()).collect();
        let all = self.gather_bytes(&own, lens.map(|len| len * size_of::<f64>()))?;
        Ok(all.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
    }

    /// Rank 0 gets what each rank has in its range of `all`, of which `own` is this one's; the others get
    /// nothing.
    #[cfg(feature = "std")]
    pub(super) fn gather_to_first(&self, own: &[f32], ranges: &[Range<usize>], all: &mut [f32]) -> Result<(), Lost> {
        let mut send: Vec<&[u8]> = vec![&[]; self.size()];
        send[0] = bytes::of(own);
        match self.rank() {
            0 => self.receive_ranges(&send, ranges, all),
            _ => self.exchange(&send, &mut (0..self.size()).map(|_| &mut [][..]).collect::<Vec<_>>()),
        }
    }

    /// What each rank has, so many bytes of each.
    fn gather_bytes(&self, own: &[u8], lengths: impl Iterator<Item = usize>) -> Result<Vec<u8>, Lost> {
        let lengths: Vec<usize> = lengths.collect();
        let mut all = vec![0; lengths.iter().sum()];
        let mut rest = &mut all[..];
        let split = |len: &usize| rest.split_off_mut(..*len).expect("the buffer is as long as all lengths");
        let mut receive: Vec<&mut [u8]> = lengths.iter().map(split).collect();
        self.exchange(&vec![own; self.size()], &mut receive)?;
        Ok(all)
    }

    /// Fills `all` with what each rank has in its range of it; `own` is what this one has. Ranges are in
    /// order, but for empty ones.
    pub(super) fn gather(&self, own: &[f32], ranges: &[Range<usize>], all: &mut [f32]) -> Result<(), Lost> {
        self.receive_ranges(&vec![bytes::of(own); self.size()], ranges, all)
    }

    fn receive_ranges(&self, send: &[&[u8]], ranges: &[Range<usize>], all: &mut [f32]) -> Result<(), Lost> {
        let mut receive: Vec<&mut [u8]> = Vec::with_capacity(ranges.len());
        let (mut rest, mut at) = (all, 0);
        for range in ranges {
            if range.is_empty() {
                receive.push(&mut []);
                continue;
            }
            let (_, more) = rest.split_at_mut(range.start - at);
            let (here, more) = more.split_at_mut(range.len());
            receive.push(bytes::of_mut(here));
            (rest, at) = (more, range.end);
        }
        self.exchange(send, &mut receive)
    }

    /// The samples of a batch that each rank runs.
    fn samples_of_ranks(&self, leaves: Leaves) -> impl Iterator<Item = Range<usize>> {
        let ranks = self.size();
        (0..ranks).map(move |rank| leaves.samples_of(&leaves.of_rank(rank, ranks)))
    }

    /// Fills in what other ranks have of the numbers of all samples, so many of each.
    pub(super) fn gather_numbers(&self, leaves: Leaves, each: usize, all: &mut [f32]) -> Result<(), Lost> {
        let ranks = self.samples_of_ranks(leaves);
        let ranges: Vec<Range<usize>> = ranks.map(|samples| samples.start * each..samples.end * each).collect();
        let own = all[ranges[self.rank()].clone()].to_vec();
        self.gather(&own, &ranges, all)
    }

    /// The same on rank 0 alone.
    #[cfg(feature = "std")]
    pub(super) fn gather_numbers_to_first(&self, leaves: Leaves, each: usize, all: &mut [f32]) -> Result<(), Lost> {
        let ranks = self.samples_of_ranks(leaves);
        let ranges: Vec<Range<usize>> = ranks.map(|samples| samples.start * each..samples.end * each).collect();
        let own = all[ranges[self.rank()].clone()].to_vec();
        self.gather_to_first(&own, &ranges, all)
    }

    /// Fills `all` with what each leaf has, so many numbers each; this rank's are `own`.
    pub(super) fn gather_leaves(&self, leaves: Leaves, each: usize, own: &[f32], all: &mut [f32]) -> Result<(), Lost> {
        let ranks = (0..self.size()).map(|rank| leaves.of_rank(rank, self.size()));
        let ranges: Vec<Range<usize>> = ranks.map(|of| of.start * each..of.end * each).collect();
        self.gather(own, &ranges, all)
    }

    /// The sums of all loss blocks in their order, of which this rank has its `own`.
    pub(super) fn add_losses<'a>(
        &self,
        leaves: Leaves,
        own: impl Iterator<Item = &'a LossSums>,
    ) -> Result<LossSums, Lost> {
        let own: Vec<u8> = own.flat_map(|sums| sums.to_bytes()).collect();
        let blocks = self.samples_of_ranks(leaves).map(|samples| samples.len().div_ceil(LOSS_BLOCK));
        let all = self.gather_bytes(&own, blocks.map(|blocks| blocks * LossSums::BYTES))?;
        let mut sums = LossSums::default();
        all.as_chunks().0.iter().for_each(|block| sums.add(&LossSums::from_bytes(block)));
        Ok(sums)
    }

    /// A message of each rank, of any length.
    pub(super) fn tell(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, Lost> {
        let len = (own.len() as u64).to_le_bytes();
        let lengths = self.gather_bytes(&len, (0..self.size()).map(|_| len.len()))?;
        let lengths: Vec<usize> = lengths.as_chunks().0.iter().map(|len| u64::from_le_bytes(*len) as usize).collect();
        let all = self.gather_bytes(own, lengths.iter().copied())?;
        let mut rest = &all[..];
        let split = |len: usize| rest.split_off(..len).expect("the buffer is as long as all lengths").to_vec();
        Ok(lengths.into_iter().map(split).collect())
    }
}
