//! Tables of offsets in a scratch of `f32`: the same memory, seen as integers, and how far a table reaches.

/// The numbers of `scratch` as unsigned offsets, whose values are the bits that stand there.
#[inline(always)]
pub(super) fn offsets_in(scratch: &mut [f32]) -> &mut [u32] {
    // SAFETY: `f32` and `u32` have one size and alignment and take every bit pattern, so the `len` numbers at
    // this address are as many offsets; the result borrows `scratch` mutably, so nobody else reaches them
    // meanwhile.
    unsafe { core::slice::from_raw_parts_mut(scratch.as_mut_ptr().cast(), scratch.len()) }
}

/// The same as signed integers, which vectors can hold.
#[inline(always)]
pub(super) fn indices_in(scratch: &mut [f32]) -> &mut [i32] {
    // SAFETY: as for `offsets_in`: `i32` too has the size and alignment of `f32` and takes every bit pattern.
    unsafe { core::slice::from_raw_parts_mut(scratch.as_mut_ptr().cast(), scratch.len()) }
}

/// Offsets of which none is above `largest`, which is what the loops that read at them are checked by.
#[derive(Clone, Copy)]
pub(super) struct OffsetTable<'a> {
    offsets: &'a [u32],
    largest: usize,
}

impl<'a> OffsetTable<'a> {
    pub(super) fn new(offsets: &'a [u32]) -> OffsetTable<'a> {
        OffsetTable { offsets, largest: offsets.iter().copied().max().unwrap_or(0) as usize }
    }

    pub(super) fn offsets(self) -> &'a [u32] {
        self.offsets
    }

    /// No offset is above it.
    pub(super) fn largest(self) -> usize {
        self.largest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_the_bits_that_stand_there() {
        let mut scratch = [1.0, -0.0, 3.0];
        assert_eq!(offsets_in(&mut scratch), [0x3f80_0000, 0x8000_0000, 0x4040_0000]);
        indices_in(&mut scratch)[1..].fill(-1);
        assert_eq!(scratch.map(f32::to_bits), [0x3f80_0000, u32::MAX, u32::MAX]);
    }

    #[test]
    fn a_table_knows_its_largest_offset() {
        assert_eq!(OffsetTable::new(&[]).largest(), 0);
        assert_eq!(OffsetTable::new(&[3, 70_000, 5]).largest(), 70_000);
    }
}
