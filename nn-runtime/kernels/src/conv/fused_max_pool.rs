//! Convolutions that end with the largest of each window, forward and backward: what stood beside a maximum is never kept.
//! Comes in: images and weights, or gradients of maxima and where these stood; goes out: maxima, or gradients.
//! Backward only maxima take part, and of those only the ones that the floor has not cut off.
//! Never another chain of `fma` than stated, however a batch or the storage is cut.

mod backward_input;
mod backward_weight;
mod forward_filter_lanes;
mod backward_weight_few_channels;
mod polyphase;
mod forward;
mod nhwc;
mod backward_input_few_channels;
#[cfg(test)]
mod tests;
mod tiles;
mod forward_window_lanes;

use core::ops::Range;

pub use backward_input::backward_input;
pub use backward_weight::backward_weight;
pub use forward::{FilterBank, forward};

use super::Conv;
use super::padded::{entry, offset};
use crate::pool::Pool;
use crate::simd::{Isa, Kernel, LANES, Simd};
use backward_weight_few_channels::FewChannelsWeightGrad;
use nhwc::NhwcCopy;
use backward_input_few_channels::ReceptiveField;

/// Gradients of the maxima that [`forward`] took.
#[derive(Clone, Copy)]
pub struct MaxPoolGrad<'a> {
    /// The windows.
    pub pool: Pool,
    /// The gradients, for each sample `pool.y_len()`.
    pub dy: &'a [f32],
    /// What `forward` wrote beside the maxima.
    pub at: &'a [f32],
}

/// In place of where a maximum stood: the floor has cut it off, and no gradient passes.
const CUT_OFF: u32 = u32::MAX;

/// Places of the windows that are mostly asked for.
const PLACES: usize = 4;

impl MaxPoolGrad<'_> {
    /// The samples of gradients and inputs, which must agree with each other and with the convolution.
    fn check(&self, c: &Conv, x_len: usize, scratch: usize) {
        c.check_pool(&self.pool);
        let (per_sample, per_maxima) = (c.x_len(), self.pool.y_len());
        let batch = self.dy.len() / per_maxima;
        assert!(
            x_len == batch * per_sample && self.dy.len() == batch * per_maxima && self.at.len() == self.dy.len(),
            "expected samples of {per_sample} inputs, {per_maxima} gradients and as many places, found {x_len}, {} and {} numbers",
            self.dy.len(),
            self.at.len()
        );
        let room = c.fused_max_pool_scratch(&self.pool);
        assert!(scratch >= room, "expected a scratch of {room} numbers, found {scratch}");
        assert!(
            c.x_len().max(room) <= u32::MAX as usize,
            "expected offsets of 32 bits, found a scratch of {room} numbers"
        );
    }

    /// Windows of one filter.
    fn windows(&self) -> usize {
        self.pool.y_len() / self.pool.channels
    }
}

impl Conv {
    /// Whether the functions here can do it: one group, channels first, columns of the kernel side by side.
    pub const fn can_fuse_max_pool(&self) -> bool {
        self.groups == 1 && !self.channels_last && self.dilation[1] == 1
    }

    /// Numbers of scratch that each of the functions for a convolution that ends with `pool` needs, whatever the batch.
    pub const fn fused_max_pool_scratch(&self, pool: &Pool) -> usize {
        let forward = self.forward_scratch(pool);
        let back = NhwcCopy::of(self, 0, self.channels);
        let weights = self.filters * back.weights();
        // The filters, what passes, and an image.
        let passing = SparseGrads::room(pool.y_len(), self.filters);
        let by_rows = weights + passing + back.len();
        let mut backward = by_rows;
        if let Some(few) = FewChannelsWeightGrad::of(self, pool) {
            let by_windows = self.channels * self.filters * few.pitch() + few.len();
            backward = if by_rows > by_windows { by_rows } else { by_windows };
        }
        if let Some(region) = ReceptiveField::of(self, pool) {
            let by_regions = region.scratch();
            backward = if backward > by_regions { backward } else { by_regions };
        }
        if forward > backward { forward } else { backward }
    }

    fn check_pool(&self, pool: &Pool) {
        let [height, width] = self.output();
        assert!(
            self.can_fuse_max_pool() && !pool.channels_last,
            "expected one group, channels first, and no dilation to the right"
        );
        assert!(
            [pool.channels, pool.height, pool.width] == [self.filters, height, width],
            "expected windows over [{}, {height}, {width}], found [{}, {}, {}]",
            self.filters,
            pool.channels,
            pool.height,
            pool.width
        );
    }
}

/// `db[f] += Σ_(s, p) dy[s, f, p]` over the maxima that pass a gradient, for the filters f in `range`.
///
/// The sum over the windows of a sample is taken in sixteen lanes; the sums are added in the order of the samples to what is there.
///
/// # Panics
/// `m.dy.len()` is no multiple of `m.pool.y_len()`; `m.at.len() != m.dy.len()`; `range.end > m.pool.channels`;
/// `db.len() != range.len()`.
pub fn backward_bias(isa: Isa, m: MaxPoolGrad, range: Range<usize>, db: &mut [f32]) {
    let (len, filters) = (m.pool.y_len(), m.pool.channels);
    assert!(
        m.dy.len().is_multiple_of(len) && m.at.len() == m.dy.len(),
        "expected samples of {len} gradients and as many places, found {} and {} numbers",
        m.dy.len(),
        m.at.len()
    );
    assert!(
        range.start <= range.end && range.end <= filters && db.len() == range.len(),
        "expected a range of 0..{filters} and as many numbers, found {range:?} and {}",
        db.len()
    );
    isa.run(FusedBackwardBias { m, start: range.start, db });
}

struct FusedBackwardBias<'a> {
    m: MaxPoolGrad<'a>,
    start: usize,
    db: &'a mut [f32],
}

impl Kernel for FusedBackwardBias<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (windows, len) = (self.m.windows(), self.m.pool.y_len());
        let first = self.start * windows;
        for (dy, at) in self.m.dy.chunks_exact(len).zip(self.m.at.chunks_exact(len)) {
            let filters = dy[first..].chunks_exact(windows).zip(at[first..].chunks_exact(windows));
            for (db, (dy, at)) in self.db.iter_mut().zip(filters) {
                let mut sum = s.splat(0.0);
                for (dy, at) in dy.chunks(LANES).zip(at.chunks(LANES)) {
                    // Places are below 2³¹.
                    let cut_off = s.lt_i(s.bits(s.load_part(at)), s.splat_i(0));
                    sum = s.add(sum, s.select(cut_off, s.splat(0.0), s.load_part(dy)));
                }
                *db += s.sum(sum);
            }
        }
    }
}

/// The gradients of a sample that pass and are not 0, filter by filter.
#[derive(Clone, Copy)]
struct SparseGrads<'a> {
    gradients: &'a [f32],
    /// How far from the first number of the image the filter's window begins that each came from, as bits.
    places: &'a [f32],
    /// Where those of each filter end, as bits.
    ends: &'a [f32],
}

impl<'a> SparseGrads<'a> {
    /// Numbers of memory for so many gradients; of both parts a vector may be written in vain.
    const fn room(gradients: usize, filters: usize) -> usize {
        2 * Self::part(gradients) + filters.next_multiple_of(LANES)
    }

    const fn part(gradients: usize) -> usize {
        gradients.next_multiple_of(LANES) + LANES
    }

    /// Of filters with `windows` gradients each; places are `pixel` numbers apart, and what is seen from one ends before `end`.
    #[inline(always)]
    fn of<S: Simd>(
        s: S,
        dy: &[f32],
        at: &[f32],
        windows: usize,
        [pixel, end]: [usize; 2],
        memory: &'a mut [f32],
    ) -> SparseGrads<'a> {
        let filters = dy.len() / windows;
        let (ends, memory) = memory.split_at_mut(filters.next_multiple_of(LANES));
        let (gradients, places) = memory.split_at_mut(Self::part(dy.len()));
        let ends = &mut ends[..filters];
        let count = s.call(CompressGrads {
            dy,
            at,
            windows,
            pixel,
            places: end.div_ceil(pixel),
            to: [&mut *gradients, &mut *places],
            ends,
        });
        SparseGrads { gradients: &gradients[..count], places: &places[..count], ends }
    }

    /// What passes, for each filter: where it came from, and the gradients.
    #[inline(always)]
    fn filters(self) -> impl Iterator<Item = (&'a [f32], &'a [f32])> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let of_filter = start..offset(*end);
            start = of_filter.end;
            (&self.places[of_filter.clone()], &self.gradients[of_filter])
        })
    }
}

/// Writes the parts of a [`SparseGrads`] and gives their length, in a function of its own: so little is in use that it stays in registers.
struct CompressGrads<'a> {
    dy: &'a [f32],
    at: &'a [f32],
    windows: usize,
    pixel: usize,
    /// Where the places end that there are.
    places: usize,
    to: [&'a mut [f32]; 2],
    ends: &'a mut [f32],
}

impl Kernel for CompressGrads<'_> {
    type Out = usize;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> usize {
        let CompressGrads { dy, at, windows, to: [gradients, places], ends, .. } = self;
        let (zero, pixel, most) = (s.splat_i(0), s.splat_i(self.pixel as i32), s.splat_i(self.places as i32));
        let mut outside = s.lt_i(zero, zero);
        let mut count = 0;
        for (end, (dy, at)) in ends.iter_mut().zip(dy.chunks_exact(windows).zip(at.chunks_exact(windows))) {
            for (dy, at) in dy.chunks(LANES).zip(at.chunks(LANES)) {
                // Lanes that are not there are 0, and do not pass.
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
            *end = entry(count);
        }
        let outside = s.sum(s.select(outside, s.splat(1.0), s.splat(0.0)));
        assert!(outside == 0.0, "expected places from `forward`");
        count
    }
}

/// Turns up to sixteen rows, `from.1` apart, of up to sixteen numbers into as many rows as there were numbers, `to.1` apart.
struct TransposeBlock<'a> {
    rows: usize,
    count: usize,
    from: (&'a [f32], usize),
    to: (&'a mut [f32], usize),
}

impl Kernel for TransposeBlock<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let TransposeBlock { rows, count, from: (from, apart), to: (to, to_apart) } = self;
        let mut block = [s.splat(0.0); LANES];
        if rows == LANES && count == LANES {
            // Known numbers of rows: the block stays in registers.
            for (k, row) in block.iter_mut().enumerate() {
                *row = s.load_part(&from[k * apart..k * apart + LANES]);
            }
            s.transpose(&mut block);
            for (k, row) in block.into_iter().enumerate() {
                s.store_part(row, &mut to[k * to_apart..k * to_apart + LANES]);
            }
            return;
        }
        for (k, row) in block.iter_mut().enumerate().take(rows) {
            *row = s.load_part(&from[k * apart..k * apart + count]);
        }
        s.transpose(&mut block);
        for (k, row) in block.iter().enumerate().take(count) {
            s.store_part(*row, &mut to[k * to_apart..k * to_apart + rows]);
        }
    }
}
