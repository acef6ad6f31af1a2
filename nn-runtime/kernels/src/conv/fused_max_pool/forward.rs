//! FusedForward: every filter over every image, and of what comes out the largest in each window.
//! Comes in: images and weights; goes out: maxima, cut off at a floor, and where the filter's window began that gave each.
//! Where windows are four places each, the right ones beside the left ones, their sums stay in registers; else one image at a time is
//! held before the maxima are taken.

use super::super::Conv;
use super::super::forward::PreparedForward;
use super::super::padded::entry;
use super::forward_filter_lanes::FilterLanesForward;
use super::polyphase::{FillPolyphase, PolyphaseCopy};
use super::forward_window_lanes::WindowLanesForward;
use super::{CUT_OFF, PLACES, TransposeBlock};
use crate::pool::{Pool, max_of_image};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// What turns images into channels: weights in panels, what is added to each channel, and where it is cut off.
#[derive(Clone, Copy)]
pub struct FilterBank<'a> {
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
/// use nn_kernels::conv::fused_max_pool::{FilterBank, MaxPoolGrad, forward, backward_bias};
/// use nn_kernels::{conv::Conv, pool::Pool, simd::Isa};
/// let (isa, c) = (Isa::detect(), Conv::new([1, 1, 5], 1, [1, 2]));
/// let pool = Pool::new([1, 1, 4], [1, 2]);
/// let (mut w, mut scratch) = ([0.0; 32], vec![0.0; c.fused_max_pool_scratch(&pool)]);
/// c.panels().pack(&[-1.0, 1.0], &mut w);
/// let filters = FilterBank { w: &w, bias: None, floor: 0.0 };
/// let (mut y, mut at) = ([0.0; 2], [0.0; 2]);
/// forward(isa, (c, pool), &[1.0, 2.0, 4.0, 0.0, -5.0], filters, &mut y, &mut at, &mut scratch);
/// assert_eq!(y, [2.0, 0.0]);
///
/// let mut db = [0.0];
/// backward_bias(isa, MaxPoolGrad { pool, dy: &[3.0, 7.0], at: &at }, 0..1, &mut db);
/// assert_eq!(db, [3.0]);
/// ```
///
/// # Panics
/// `!c.can_fuse_max_pool()`; `pool` is not over what comes out of `c`; `x.len() != b * c.x_len() || y.len() != b * pool.y_len()` for every
/// `b`; `!at.is_empty() && at.len() != y.len()`; `w.len() != c.panels().len()`; `bias.len() != c.filters`;
/// there is less scratch than it needs, which is at most `c.fused_max_pool_scratch(&pool)`.
pub fn forward(
    isa: Isa,
    (c, pool): (Conv, Pool),
    x: &[f32],
    filters: FilterBank,
    y: &mut [f32],
    at: &mut [f32],
    scratch: &mut [f32],
) {
    c.check_pool(&pool);
    let (x_len, y_len, room) = (c.x_len(), pool.y_len(), c.forward_scratch(&pool));
    let batch = x.len() / x_len;
    assert!(
        x.len() == batch * x_len && y.len() == batch * y_len,
        "expected samples of {x_len} inputs and {y_len} maxima, found {} and {} numbers",
        x.len(),
        y.len()
    );
    assert!(at.is_empty() || at.len() == y.len(), "expected {} places or none, found {}", y.len(), at.len());
    c.check_weights(filters.w);
    c.check_bias(filters.bias);
    assert!(scratch.len() >= room, "expected a scratch of {room} numbers, found {}", scratch.len());
    assert!(
        x_len <= u32::MAX as usize && room <= i32::MAX as usize,
        "expected offsets of 31 bits, found a scratch of {room} numbers"
    );
    isa.run(FusedForward { c, pool, x, filters, y, at, scratch });
}

struct FusedForward<'a> {
    c: Conv,
    pool: Pool,
    x: &'a [f32],
    filters: FilterBank<'a>,
    y: &'a mut [f32],
    at: &'a mut [f32],
    scratch: &'a mut [f32],
}

/// What the lanes are while the sums are taken.
enum ForwardForm {
    /// Windows, of any row.
    Windows,
    /// FilterBank, of any windows.
    FilterBank,
    /// What is best for all sums, which are held before the maxima are taken.
    Image,
}

impl Conv {
    /// The scratch of the forms that may be taken, whatever the registers.
    pub(super) const fn forward_scratch(&self, pool: &Pool) -> usize {
        let [height, width] = self.output();
        if !self.by_places(pool) {
            return self.scratch().next_multiple_of(LANES) + self.filters * height * width + LANES;
        }
        let (fold, sheet) = (PolyphaseCopy::of(self, pool), self.sheet(true));
        let (windows, pitch) = (self.windows(pool).next_multiple_of(LANES), self.filters.next_multiple_of(LANES));
        let by_windows = 2 * self.channels * self.kernel[0] + fold.sheet_len() + windows + fold.len() + 3 * LANES;
        let by_filters = self.rows() + LANES + 2 * windows * pitch + sheet.len();
        if by_windows > by_filters { by_windows } else { by_filters }
    }

    /// Windows of one filter.
    const fn windows(&self, pool: &Pool) -> usize {
        let [height, width] = pool.output();
        height * width
    }

    /// Which of them is the fastest.
    fn lanes<S: Simd>(&self, pool: &Pool) -> ForwardForm {
        if !self.by_places(pool) {
            return ForwardForm::Image;
        }
        let windows = self.windows(pool);
        let by_windows = windows.next_multiple_of(LANES) * self.filters;
        let by_filters = windows * self.filters.next_multiple_of(LANES);
        // With filters as lanes every number is loaded for one or two products, and maxima are turned, which takes as long as four
        // weights; few registers hold the sums of one filter only, for which every number is loaded anew.
        let cost = if S::REGISTERS >= 32 { 14 } else { 24 };
        let windows_cost_less = by_windows * self.rows() * cost <= by_filters * (self.rows() + 4) * 16;
        if !FilterLanesForward::fits::<S>() || windows_cost_less { ForwardForm::Windows } else { ForwardForm::FilterBank }
    }

    /// Whether the sums of a window's places may stay in registers: four, the right ones beside the left ones.
    const fn by_places(&self, pool: &Pool) -> bool {
        two_by_two(pool) && self.stride[1] == 1
    }

    /// From one output to the next below and to the right, in places of the input with its border.
    pub(super) const fn leaps(&self) -> [usize; 2] {
        [self.stride[0] * (self.width + self.pad[2] + self.pad[3]), self.stride[1]]
    }
}

/// Whether a window is four places, none of them in a border.
pub(super) const fn two_by_two(pool: &Pool) -> bool {
    let [top, bottom, left, right] = pool.pad;
    pool.window[0] == 2 && pool.window[1] == 2 && top + bottom + left + right == 0
}

impl Kernel for FusedForward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.c.lanes::<S>(&self.pool) {
            ForwardForm::Windows => self.by_windows(s),
            ForwardForm::FilterBank if const { FilterLanesForward::fits::<S>() } => self.by_filters(s),
            ForwardForm::FilterBank | ForwardForm::Image => self.by_image(s),
        }
    }
}

impl FusedForward<'_> {
    #[inline(always)]
    fn by_windows<S: Simd>(self, s: S) {
        let (c, pool, leaps) = (self.c, self.pool, self.c.leaps());
        let (fold, windows) = (PolyphaseCopy::of(&c, &pool), c.windows(&pool));
        let count = 2 * c.channels * c.kernel[0];
        let (rows, scratch) = self.scratch.split_at_mut(count.next_multiple_of(LANES));
        let (origins, scratch) = scratch.split_at_mut(windows.next_multiple_of(LANES));
        let (copy, scratch) = scratch.split_at_mut(fold.len());
        let (rows, sheet) = (&mut rows[..count], &mut scratch[..fold.sheet_len()]);
        fold.rows(rows);
        for (y, row) in origins[..windows].chunks_exact_mut(pool.output()[1]).enumerate() {
            for (x, origin) in row.iter_mut().enumerate() {
                *origin = entry(y * pool.stride[0] * leaps[0] + x * pool.stride[1] * leaps[1]);
            }
        }
        sheet.fill(0.0);
        // ForwardForm that are not asked for are computed all the same, which is slow with numbers that are nearly 0.
        copy.fill(0.0);
        let (x_len, y_len) = (c.x_len(), pool.y_len());
        for (n, (x, y)) in self.x.chunks_exact(x_len).zip(self.y.chunks_exact_mut(y_len)).enumerate() {
            s.call(FillPolyphase { fold, x, sheet, to: copy });
            let job = WindowLanesForward {
                copy: copy.as_ptr(),
                rows,
                columns: c.kernel[1],
                column: fold.plane(),
                panels: c.panels(),
                filters: self.filters,
                origins,
                leaps: four(leaps).map(|leap| leap as i32),
                windows,
                y: y.as_mut_ptr(),
                at: match self.at.get_mut(n * y_len..(n + 1) * y_len) {
                    Some(at) => at.as_mut_ptr(),
                    None => core::ptr::null_mut(),
                },
            };
            // SAFETY: the table holds places of the copy, in which each column of what windows see ends with a vector more than the last
            // window; `forward` has checked the lengths of weights and bias, and `y` and `at` are those of one sample.
            unsafe { job.run(s) };
        }
    }

    #[inline(always)]
    fn by_filters<S: Simd>(self, s: S) {
        let (c, pool, leaps) = (self.c, self.pool, self.c.leaps());
        let (windows, pitch) = (c.windows(&pool), c.filters.next_multiple_of(LANES));
        let sheet = if c.pad == [0; 4] { None } else { Some(c.sheet(true)) };
        let (taps, scratch) = self.scratch.split_at_mut(c.rows().next_multiple_of(LANES));
        let taps = &mut taps[..c.rows()];
        let (values, scratch) = scratch.split_at_mut(windows * pitch);
        let (places, copy) = scratch.split_at_mut(windows * pitch);
        c.taps(sheet, taps);
        if let Some(sheet) = sheet {
            copy[..sheet.len()].fill(0.0);
        }
        let [down, right] = c.steps(sheet);
        let (x_len, y_len) = (c.x_len(), pool.y_len());
        for (n, (mut x, y)) in self.x.chunks_exact(x_len).zip(self.y.chunks_exact_mut(y_len)).enumerate() {
            if let Some(sheet) = sheet {
                sheet.fill(s, x, c.x_strides(), [c.height, c.width], copy);
                x = &*copy;
            }
            let job = FilterLanesForward {
                x: x.as_ptr(),
                taps,
                panels: c.panels(),
                filters: self.filters,
                grid: pool.output(),
                steps: [down * pool.stride[0], right * pool.stride[1]],
                leaps: [leaps[0] * pool.stride[0], leaps[1] * pool.stride[1]],
                down,
                kept: four(leaps).map(|leap| leap as i32),
                y: values.as_mut_ptr(),
                at: places.as_mut_ptr(),
                pitch,
            };
            // SAFETY: `forward` has checked the lengths of weights and bias. The table holds places of the image, or of its copy, and what
            // filters see at the last place of a window ends with it; both buffers have whole vectors of filters for each window.
            unsafe { job.run(s) };
            for first in (0..windows).step_by(LANES) {
                let rows = (windows - first).min(LANES);
                for filter in (0..c.filters).step_by(LANES) {
                    let (count, from, to) =
                        ((c.filters - filter).min(LANES), first * pitch + filter, filter * windows + first);
                    s.call(TransposeBlock { rows, count, from: (&values[from..], pitch), to: (&mut y[to..], windows) });
                    if let Some(at) = self.at.get_mut(n * y_len..(n + 1) * y_len) {
                        s.call(TransposeBlock { rows, count, from: (&places[from..], pitch), to: (&mut at[to..], windows) });
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn by_image<S: Simd>(self, s: S) {
        let (c, pool) = (self.c, self.pool);
        let FilterBank { w, bias, floor } = self.filters;
        let (sums, image) = self.scratch.split_at_mut(c.scratch().next_multiple_of(LANES));
        let image = &mut image[..c.y_len() + LANES];
        let mut sums = PreparedForward::new(c, w, bias, f32::NEG_INFINITY, c.by_columns([false; 2]), sums);
        let (x_len, y_len) = (c.x_len(), pool.y_len());
        for (n, (x, y)) in self.x.chunks_exact(x_len).zip(self.y.chunks_exact_mut(y_len)).enumerate() {
            let at = if self.at.is_empty() { &mut [] } else { &mut self.at[n * y_len..(n + 1) * y_len] };
            sums.sample(s, 0, x, image, c.y_strides());
            max_of_image(s, pool, image, c.leaps(), y, at);
            cut_off(s, floor, y, at);
        }
    }
}

/// How far the four places of a window are from the first.
fn four([down, right]: [usize; 2]) -> [usize; PLACES] {
    [0, right, down, down + right]
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
