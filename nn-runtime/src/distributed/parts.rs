//! Numbers for each rank, or from each, in memory that goes from hand to hand. In: how many numbers there are
//! for each rank; out: one buffer that an engine may keep while they are on their way.

use alloc::vec::Vec;
use core::ops::Range;

use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::bytes;

/// Numbers for each rank, or from each.
#[derive(Clone, Default, Debug)]
pub struct Parts {
    numbers: AlignedBuffer,
    /// Those of each rank: in order, or all the same.
    ranges: Vec<Range<usize>>,
}

impl Parts {
    /// So many numbers for each rank, one after the other; the buffer grows where it is too short.
    pub(crate) fn lay_out(&mut self, lens: impl Iterator<Item = usize>) {
        self.ranges.clear();
        let mut end = 0;
        self.ranges.extend(lens.map(|len| {
            let start = end;
            end += len;
            start..end
        }));
        self.make_room(end);
    }

    /// The same numbers of a buffer of so many for each of some ranks.
    pub(crate) fn lay_out_alike(&mut self, len: usize, all: Range<usize>, ranks: usize) {
        self.ranges.clear();
        self.ranges.resize(ranks, all);
        self.make_room(len);
    }

    /// These numbers of a buffer of so many for each rank: in order, but for empty ranges.
    pub(crate) fn lay_out_at(&mut self, len: usize, ranges: impl Iterator<Item = Range<usize>>) {
        self.ranges.clear();
        self.ranges.extend(ranges);
        self.make_room(len);
    }

    fn make_room(&mut self, len: usize) {
        if self.numbers.len() < len {
            self.numbers = AlignedBuffer::zeroed(len);
        }
    }

    /// All numbers.
    pub(crate) fn numbers(&mut self) -> &mut AlignedBuffer {
        &mut self.numbers
    }

    /// How many ranks there are.
    pub fn ranks(&self) -> usize {
        self.ranges.len()
    }

    /// The numbers of a rank.
    pub fn part(&self, rank: usize) -> &[f32] {
        &self.numbers[self.ranges[rank].clone()]
    }

    /// The same as bytes.
    pub fn bytes(&self, rank: usize) -> &[u8] {
        bytes::of(self.part(rank))
    }

    /// The bytes of all ranks, of parts that lie one after the other.
    ///
    /// # Panics
    /// They are those that are sent to several ranks.
    pub fn bytes_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let (mut rest, mut at) = (&mut self.numbers[..], 0);
        self.ranges.iter().map(move |range| {
            if range.is_empty() {
                return &mut [][..];
            }
            let from = range.start.checked_sub(at).expect("expected parts one after the other");
            let next = rest.split_off_mut(..from + range.len()).expect("parts lie in the buffer");
            at = range.end;
            bytes::of_mut(&mut next[from..])
        })
    }
}
