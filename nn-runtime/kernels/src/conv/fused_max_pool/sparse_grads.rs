//! The gradients of a sample that pass and are not 0, listed filter by filter with their positions: few loops
//! pay for the many that take no part.

use super::super::offsets::offsets_in;
use crate::simd::{Kernel, LANES, Simd};
use crate::sizes::{product, round_up, sum};

/// The list.
#[derive(Clone, Copy)]
pub(super) struct SparseGrads<'a> {
    gradients: &'a [f32],
    /// Where in the copy of the image the filter's window begins that each came from.
    places: &'a [u32],
    /// Where the gradients of each filter end in both.
    ends: &'a [u32],
}

/// How the positions of maxima become places of a copy.
#[derive(Clone, Copy)]
pub(super) struct PlaceScale {
    /// From one position to the next in the copy.
    pub pixel: usize,
    /// Below which all places of the copy are from which a filter sees no more than the copy holds.
    pub end: usize,
}

impl<'a> SparseGrads<'a> {
    /// Numbers of memory for so many gradients.
    pub(super) const fn room(gradients: usize, filters: usize) -> usize {
        sum([product([2, Self::part(gradients)]), round_up(filters, LANES)])
    }

    /// Numbers of either list: compressing writes whole vectors, of which the last may be slack.
    const fn part(gradients: usize) -> usize {
        sum([round_up(gradients, LANES), LANES])
    }

    /// Of filters with `windows` gradients each. Every place is below `scale.end`.
    ///
    /// # Panics
    /// A position of a gradient that passes does not stand for a place below `scale.end`, or `memory` is
    /// shorter than [`room`](SparseGrads::room).
    #[inline(always)]
    pub(super) fn of<S: Simd>(
        s: S,
        dy: &[f32],
        argmax: &[f32],
        windows: usize,
        scale: PlaceScale,
        memory: &'a mut [f32],
    ) -> SparseGrads<'a> {
        let filters = dy.len() / windows;
        let (ends, memory) = memory.split_at_mut(filters.next_multiple_of(LANES));
        let (gradients, places) = memory.split_at_mut(Self::part(dy.len()));
        let ends = &mut offsets_in(ends)[..filters];
        let count = s.call(CompressGrads {
            dy,
            argmax,
            windows,
            pixel: scale.pixel,
            positions: scale.end.div_ceil(scale.pixel),
            gradients: &mut *gradients,
            places: &mut *places,
            ends,
        });
        SparseGrads { gradients: &gradients[..count], places: &offsets_in(places)[..count], ends }
    }

    /// What passes, for each filter: places and gradients.
    #[inline(always)]
    pub(super) fn filters(self) -> impl Iterator<Item = (&'a [u32], &'a [f32])> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let of_filter = start..*end as usize;
            start = of_filter.end;
            (&self.places[of_filter.clone()], &self.gradients[of_filter])
        })
    }

    /// Filters of the list.
    pub(super) fn filter_count(&self) -> usize {
        self.ends.len()
    }
}

/// Writes the parts of a [`SparseGrads`] and gives their length, in a function of its own: so little is in
/// use that it stays in registers.
struct CompressGrads<'a> {
    dy: &'a [f32],
    argmax: &'a [f32],
    windows: usize,
    pixel: usize,
    /// Positions that there are.
    positions: usize,
    gradients: &'a mut [f32],
    places: &'a mut [f32],
    ends: &'a mut [u32],
}

impl Kernel for CompressGrads<'_> {
    type Out = usize;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> usize {
        let CompressGrads { dy, argmax, windows, gradients, places, ends, .. } = self;
        let (zero, pixel, most) = (s.splat_i(0), s.splat_i(self.pixel as i32), s.splat_i(self.positions as i32));
        let mut outside = s.lt_i(zero, zero);
        let mut count = 0;
        for (end, (dy, at)) in ends.iter_mut().zip(dy.chunks_exact(windows).zip(argmax.chunks_exact(windows))) {
            for (dy, at) in dy.chunks(LANES).zip(at.chunks(LANES)) {
                // Lanes past the last window are 0, and do not pass.
                let (dy, at) = (s.load_part(dy), s.bits(s.load_part(at)));
                let passes = s.not_m(s.or_m(s.lt_i(at, zero), s.eq(dy, s.splat(0.0))));
                outside = s.or_m(outside, s.and_m(passes, s.not_m(s.lt_i(at, most))));
                let place = s.from_bits(s.mul_i(at, pixel));
                if let (Some(gradients), Some(places)) =
                    (gradients[count..].first_chunk_mut(), places[count..].first_chunk_mut())
                {
                    s.compress(passes, dy, gradients);
                    count += s.compress(passes, place, places);
                }
            }
            *end = count as u32;
        }
        let outside = s.sum(s.select(outside, s.splat(1.0), s.splat(0.0)));
        assert!(outside == 0.0, "expected positions from `forward`");
        count
    }
}
