//! Forward: every filter over every image, and of what comes out the largest in each window.
//! Comes in: images and weights; goes out: maxima, cut off at a floor, and where the filter's window began that gave each.
//! One image at a time is held before the maxima are taken, with its filters side by side where they are the lanes.

use super::super::Conv;
use super::super::forward::Sums;
use super::super::sheet::Spread;
use super::{CUT_OFF, Turn};
use crate::kernels::pool::{Best, Pool, max_of_image};
use crate::kernels::simd::{Isa, Kernel, LANES, Simd};

/// What turns images into channels: weights in panels, what is added to each channel, and where it is cut off.
#[derive(Clone, Copy)]
pub struct Filters<'a> {
    /// A column of the panels is a filter.
    pub w: &'a [f32],
    /// One number for each filter, or nothing.
    pub bias: Option<&'a [f32]>,
    /// `f32::NEG_INFINITY` cuts off nothing.
    pub floor: f32,
}

/// `y[f, q] = max_(p in window q) max(c(x)[f, p], floor)`, where `c(x)` is what [`forward`](super::super::forward) computes.
///
/// `at` is empty, or as long as `y`: then it is given what the pulls need, bits that mean nothing to others. Of equal numbers the
/// first passes the gradient, row by row; of several NaN the last. `scratch` is left with any numbers.
///
/// ```
/// use nn_runtime::kernels::conv::pooled::{Filters, Maxima, forward, pull_bias};
/// use nn_runtime::kernels::{conv::Conv, pool::Pool, simd::Isa};
/// let (isa, c) = (Isa::detect(), Conv::new([1, 1, 5], 1, [1, 2]));
/// let pool = Pool::new([1, 1, 4], [1, 2]);
/// let (mut w, mut scratch) = ([0.0; 32], vec![0.0; c.pooled_scratch(&pool)]);
/// c.panels().pack(&[-1.0, 1.0], &mut w);
/// let filters = Filters { w: &w, bias: None, floor: 0.0 };
/// let (mut y, mut at) = ([0.0; 2], [0.0; 2]);
/// forward(isa, (c, pool), &[1.0, 2.0, 4.0, 0.0, -5.0], filters, &mut y, &mut at, &mut scratch);
/// assert_eq!(y, [2.0, 0.0]);
///
/// let mut db = [0.0];
/// pull_bias(isa, Maxima { pool, dy: &[3.0, 7.0], at: &at }, 0..1, &mut db);
/// assert_eq!(db, [3.0]);
/// ```
///
/// # Panics
/// `!c.takes_pool()`; `pool` is not over what comes out of `c`; `x.len() != b * c.x_len() || y.len() != b * pool.y_len()` for every
/// `b`; `!at.is_empty() && at.len() != y.len()`; `w.len() != c.panels().len()`; `bias.len() != c.filters`;
/// `scratch.len() < c.pooled_scratch(&pool)`.
pub fn forward(
    isa: Isa,
    (c, pool): (Conv, Pool),
    x: &[f32],
    filters: Filters,
    y: &mut [f32],
    at: &mut [f32],
    scratch: &mut [f32],
) {
    c.check_pool(&pool);
    let (x_len, y_len, room) = (c.x_len(), pool.y_len(), c.pooled_scratch(&pool));
    let batch = x.len() / x_len;
    assert!(
        x.len() == batch * x_len && y.len() == batch * y_len,
        "expected samples of {x_len} inputs and {y_len} maxima, found {} and {} numbers",
        x.len(),
        y.len()
    );
    assert!(at.is_empty() || at.len() == y.len(), "expected {} places or none, found {}", y.len(), at.len());
    c.check(filters.w, scratch);
    c.check_bias(filters.bias);
    assert!(scratch.len() >= room, "expected a scratch of {room} numbers, found {}", scratch.len());
    isa.run(Forward { c, pool, x, filters, y, at, scratch });
}

struct Forward<'a> {
    c: Conv,
    pool: Pool,
    x: &'a [f32],
    filters: Filters<'a>,
    y: &'a mut [f32],
    at: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Conv {
    /// The scratch that the sums need, and the image before the maxima are taken, and sixteen of these.
    pub(super) const fn forward_scratch(&self) -> usize {
        let pitch = self.filters.next_multiple_of(LANES);
        self.scratch().next_multiple_of(LANES) + (2 * LANES + self.pixels()) * pitch + 2 * LANES
    }

    /// From one output to the next below and to the right, in places of the input with its border.
    const fn leaps(&self) -> [usize; 2] {
        [self.stride[0] * (self.width + self.pad[2] + self.pad[3]), self.stride[1]]
    }
}

impl Kernel for Forward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (c, pool) = (self.c, self.pool);
        let [height, width] = c.output();
        let by_columns = c.by_columns([true, false]);
        let pitch = c.filters.next_multiple_of(LANES);
        let to = match by_columns {
            true => Spread { plane: 1, row: width * pitch, col: pitch },
            false => Spread { plane: height * width, row: width, col: 1 },
        };
        let Filters { w, bias, floor } = self.filters;
        let (sums, image) = self.scratch.split_at_mut(c.scratch().next_multiple_of(LANES));
        let (block, image) = image.split_at_mut(2 * LANES * pitch);
        let image = &mut image[..c.pixels() * pitch + LANES];
        let mut sums = Sums::begin(c, w, bias, f32::NEG_INFINITY, by_columns, sums);
        let (x_len, y_len) = (c.x_len(), pool.y_len());
        for (n, (x, y)) in self.x.chunks_exact(x_len).zip(self.y.chunks_exact_mut(y_len)).enumerate() {
            let at = if self.at.is_empty() { &mut [] } else { &mut self.at[n * y_len..(n + 1) * y_len] };
            sums.sample(s, 0, x, image, to);
            if by_columns {
                s.call(Largest { pool, image, pitch, leaps: c.leaps(), floor, block, y, at });
            } else {
                max_of_image(s, pool, image, c.leaps(), y, at);
                cut_off(s, floor, y, at);
            }
        }
    }
}

/// Cuts maxima off at the floor.
#[inline(always)]
fn cut_off<S: Simd>(s: S, floor: f32, y: &mut [f32], at: &mut [f32]) {
    let (floor, none) = (s.splat(floor), s.splat(f32::from_bits(CUT_OFF)));
    if !at.is_empty() {
        for (y, at) in y.chunks(LANES).zip(at.chunks_mut(LANES)) {
            let below = s.le(s.load_part(y), floor);
            s.store_part(s.select(below, none, s.load_part(at)), at);
        }
    }
    for y in y.chunks_mut(LANES) {
        // The floor first: where the other is NaN, `max` gives the second.
        s.store_part(s.max(floor, s.load_part(y)), y);
    }
}

/// The maxima of an image with `pitch` numbers side by side at each place, in a function of its own: so little is in use that it stays in
/// registers.
struct Largest<'a> {
    pool: Pool,
    image: &'a [f32],
    pitch: usize,
    leaps: [usize; 2],
    floor: f32,
    /// Room for sixteen windows and where their maxima stood.
    block: &'a mut [f32],
    y: &'a mut [f32],
    at: &'a mut [f32],
}

impl Kernel for Largest<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Largest { pool, image, pitch, floor, block, y, at, .. } = self;
        let ([height, width], [down, right]) = (pool.output(), self.leaps.map(|leap| leap as i32));
        let windows = height * width;
        assert!(image.len() >= pool.height * pool.width * pitch, "expected the whole image");
        let (floor, none) = (s.splat(floor), s.splat(f32::from_bits(CUT_OFF)));
        let (values, places) = block.split_at_mut(LANES * pitch);
        let (mut oy, mut ox) = (0, 0);
        for first in (0..windows).step_by(LANES) {
            let count = (windows - first).min(LANES);
            for n in 0..count {
                let (rows, columns) = (pool.sees(0, oy), pool.sees(1, ox));
                let start = image.as_ptr().wrapping_add((rows.start * pool.width + columns.start) * pitch);
                let index = rows.start as i32 * down + columns.start as i32 * right;
                let place = Place { image: start, steps: [pool.width * pitch, pitch], index, leaps: [down, right] };
                let to = n * pitch..(n + 1) * pitch;
                let (values, places) =
                    (values[to.clone()].as_chunks_mut::<LANES>().0, places[to].as_chunks_mut::<LANES>().0);
                for (vector, (value, to)) in values.iter_mut().zip(places).enumerate() {
                    let seen = [rows.len(), columns.len()];
                    // SAFETY: a window sees places of the image, each of which has `pitch` numbers, whole vectors.
                    let best = unsafe {
                        // What is mostly asked for is code of its own, without loops.
                        if seen == [2, 2] { place.best(s, vector, [2, 2]) } else { place.best(s, vector, seen) }
                    };
                    // The floor first: where the other is NaN, `max` gives the second.
                    s.store(s.max(floor, best.value), value);
                    s.store(s.select(s.le(best.value, floor), none, s.from_bits(best.at)), to);
                }
                ox += 1;
                if ox == width {
                    (oy, ox) = (oy + 1, 0);
                }
            }
            for filter in (0..pool.channels).step_by(LANES) {
                let (filters, to) = ((pool.channels - filter).min(LANES), filter * windows + first);
                let from = (&values[filter..], pitch);
                s.call(Turn { rows: count, count: filters, from, to: (&mut y[to..], windows) });
                if !at.is_empty() {
                    let from = (&places[filter..], pitch);
                    s.call(Turn { rows: count, count: filters, from, to: (&mut at[to..], windows) });
                }
            }
        }
    }
}

/// What a window sees first, and where that is.
#[derive(Clone, Copy)]
struct Place {
    image: *const f32,
    /// From one place to the next below and to the right.
    steps: [usize; 2],
    index: i32,
    /// The same in what is kept.
    leaps: [i32; 2],
}

impl Place {
    /// The largest of so many rows and columns, for each lane of a vector.
    ///
    /// # Safety
    /// The vector can be read at each place.
    #[inline(always)]
    unsafe fn best<S: Simd>(self, s: S, vector: usize, [rows, columns]: [usize; 2]) -> Best<S> {
        let (mut row, mut index) = (self.image.wrapping_add(vector * LANES), self.index);
        // SAFETY: the caller vouches for it.
        let mut best = Best { value: unsafe { s.load_ptr(row) }, at: s.splat_i(index) };
        for _ in 0..rows {
            let (mut from, mut at) = (row, index);
            for _ in 0..columns {
                // Starting from the first, it must not be taken for better than itself, unless it is NaN, which changes nothing.
                // SAFETY: the caller vouches for it.
                best.meet(s, unsafe { s.load_ptr(from) }, s.splat_i(at));
                (from, at) = (from.wrapping_add(self.steps[1]), at + self.leaps[1]);
            }
            (row, index) = (row.wrapping_add(self.steps[0]), index + self.leaps[0]);
        }
        best
    }
}
