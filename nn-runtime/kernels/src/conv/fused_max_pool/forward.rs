//! Forward: every filter over every image, and of the outputs the largest in each window, not below a floor.
//! Images and weights come in; out go maxima, and where the filter's window began that gave each. Windows of
//! 2 × 2 keep their sums in registers; for others one image at a time is held before its maxima are taken.

use super::super::FilterBank;
use super::super::forward::PreparedForward;
use super::super::offsets::{OffsetTable, indices_in, offsets_in};
use super::forward_filter_lanes::{FilterLanesForward, FilterLanesLayout};
use super::forward_window_lanes::{WindowLanesForward, WindowLanesLayout};
use super::polyphase::{FillPolyphase, PolyphaseCopy};
use super::{ConvMaxPool, POSITIONS, REPLACED};
use crate::pool::max_of_image;
use crate::simd::{Isa, Kernel, LANES, Simd};
use crate::sizes::{max, product, round_up, sum};
use crate::transpose::{Transpose, transpose_block};

/// `y[f, q] = max_(p in window q) max(c(x)[f, p], floor)`, where `c(x)` is what
/// [`forward`](super::super::forward) computes.
///
/// `argmax` is empty, or as long as `y`: then it is given what the backward passes need, bits that mean
/// nothing to others. Of equal numbers the first passes the gradient, row by row; of several NaN the last.
/// `scratch` is left with any numbers.
///
/// ```
/// use nn_kernels::conv::fused_max_pool::{ConvMaxPool, MaxPoolGrad, backward_bias, forward};
/// use nn_kernels::{conv::{Conv, FilterBank}, pool::Pool, simd::Isa};
/// let (isa, conv) = (Isa::detect(), Conv::new([1, 1, 5], 1, [1, 2]));
/// let pool = Pool::new([1, 1, 4], [1, 2]);
/// let fused = ConvMaxPool { conv, pool };
/// let (mut w, mut scratch) = ([0.0; 32], vec![0.0; fused.scratch()]);
/// conv.panels().pack(&[-1.0, 1.0], &mut w);
/// let filters = FilterBank { w: &w, bias: None, floor: 0.0 };
/// let (mut y, mut argmax) = ([0.0; 2], [0.0; 2]);
/// forward(isa, fused, &[1.0, 2.0, 4.0, 0.0, -5.0], filters, &mut y, &mut argmax, &mut scratch);
/// assert_eq!(y, [2.0, 0.0]);
///
/// let mut db = [0.0];
/// backward_bias(isa, pool, MaxPoolGrad { dy: &[3.0, 7.0], argmax: &argmax }, 0..1, &mut db);
/// assert_eq!(db, [3.0]);
/// ```
///
/// # Panics
/// `!conv.can_fuse_max_pool()`; `pool` is not over what comes out of `conv`; `x.len() != b * conv.x_len() ||
/// y.len() != b * pool.y_len()` for every `b`; `!argmax.is_empty() && argmax.len() != y.len()`;
/// `filters.w.len() != conv.panels().len()`; `filters.bias` has not `conv.filters` numbers; there is less
/// scratch than it needs, which is at most `fused.scratch()`.
pub fn forward(
    isa: Isa,
    fused: ConvMaxPool,
    x: &[f32],
    filters: FilterBank,
    y: &mut [f32],
    argmax: &mut [f32],
    scratch: &mut [f32],
) {
    fused.check();
    let fused = fused.capped();
    let (x_len, y_len, needed) = (fused.conv.x_len(), fused.pool.y_len(), fused.forward_scratch());
    let batch = x.len() / x_len;
    assert!(
        x.len() == batch * x_len && y.len() == batch * y_len,
        "expected samples of {x_len} inputs and {y_len} maxima, found {} and {} numbers",
        x.len(),
        y.len()
    );
    assert!(
        argmax.is_empty() || argmax.len() == y.len(),
        "expected {} positions or none, found {}",
        y.len(),
        argmax.len()
    );
    filters.check(&fused.conv, fused.conv.filters);
    assert!(scratch.len() >= needed, "expected a scratch of {needed} numbers, found {}", scratch.len());
    isa.run(FusedForward { fused, x, filters, y, argmax, scratch });
}

struct FusedForward<'a> {
    fused: ConvMaxPool,
    x: &'a [f32],
    filters: FilterBank<'a>,
    y: &'a mut [f32],
    argmax: &'a mut [f32],
    scratch: &'a mut [f32],
}

/// How the sums are taken.
enum ForwardForm {
    /// Lanes are windows, of any row.
    WindowLanes,
    /// Lanes are filters, of any windows.
    FilterLanes,
    /// All sums of an image are held, in the form that is best for them, before the maxima are taken.
    WholeImage,
}

impl ConvMaxPool {
    /// The scratch of the forms that may be taken, whatever the registers.
    pub(super) const fn forward_scratch(&self) -> usize {
        let c = &self.conv;
        if !self.sums_in_registers() {
            return sum([round_up(c.scratch(), LANES), c.y_len(), LANES]);
        }
        let (copy, padded) = (PolyphaseCopy::of(self), c.padded_input(true));
        let (windows, row_stride) = (round_up(self.windows(), LANES), round_up(c.filters, LANES));
        let rows = product([2, c.channels, c.kernel[0]]);
        let by_windows = sum([rows, copy.bordered_len(), windows, copy.len(), 3 * LANES]);
        let by_filters = sum([c.rows(), LANES, product([2, windows, row_stride]), padded.len()]);
        max(by_windows, by_filters)
    }

    /// Which form is the fastest: see the table in `conv.rs`.
    fn forward_form<S: Simd>(&self) -> ForwardForm {
        if !self.sums_in_registers() {
            return ForwardForm::WholeImage;
        }
        let (windows, filters, rows) = (self.windows(), self.conv.filters, self.conv.rows());
        let by_windows = windows.next_multiple_of(LANES) * filters;
        let by_filters = windows * filters.next_multiple_of(LANES);
        // With filters as lanes every number is loaded for one or two products, and maxima are transposed,
        // which takes as long as four weights; few registers hold the sums of one filter only, for which
        // every number is loaded anew.
        let cost = if S::REGISTERS >= 32 { 14 } else { 24 };
        let windows_cost_less = by_windows * rows * cost <= by_filters * (rows + 4) * 16;
        if !FilterLanesForward::fits::<S>() || windows_cost_less {
            ForwardForm::WindowLanes
        } else {
            ForwardForm::FilterLanes
        }
    }

    /// Whether the sums of a window may stay in registers: four, the right ones beside the left ones.
    const fn sums_in_registers(&self) -> bool {
        self.is_two_by_two() && self.conv.stride[1] == 1
    }
}

impl Kernel for FusedForward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.fused.forward_form::<S>() {
            ForwardForm::WindowLanes => self.window_lanes(s),
            ForwardForm::FilterLanes if const { FilterLanesForward::fits::<S>() } => self.filter_lanes(s),
            ForwardForm::FilterLanes | ForwardForm::WholeImage => self.whole_image(s),
        }
    }
}

impl FusedForward<'_> {
    #[inline(always)]
    fn window_lanes<S: Simd>(self, s: S) {
        let ConvMaxPool { conv: c, pool } = self.fused;
        let (polyphase, windows) = (PolyphaseCopy::of(&self.fused), self.fused.windows());
        let count = 2 * c.channels * c.kernel[0];
        let (rows, scratch) = self.scratch.split_at_mut(count.next_multiple_of(LANES));
        let (origins, scratch) = scratch.split_at_mut(windows.next_multiple_of(LANES));
        let (copy, scratch) = scratch.split_at_mut(polyphase.len());
        let (rows, origins) = (&mut offsets_in(rows)[..count], indices_in(origins));
        let bordered = &mut scratch[..polyphase.bordered_len()];
        polyphase.row_offsets(rows);
        self.fused.window_origins(&mut origins[..windows]);
        bordered.fill(0.0);
        // Lanes past the last window are computed all the same, which is slow with numbers that are nearly 0.
        copy.fill(0.0);
        let layout = WindowLanesLayout {
            rows: OffsetTable::new(rows),
            columns: c.kernel[1],
            plane: polyphase.plane(),
            panels: c.panels(),
            filters: self.filters,
            origins,
            offsets: position_offsets(self.fused.position_strides()).map(|offset| offset as i32),
            windows,
        };
        let (x_len, y_len) = (c.x_len(), pool.y_len());
        for (n, (x, y)) in self.x.chunks_exact(x_len).zip(self.y.chunks_exact_mut(y_len)).enumerate() {
            s.call(FillPolyphase { polyphase, x, bordered, to: copy });
            let argmax = self.argmax.get_mut(n * y_len..(n + 1) * y_len);
            WindowLanesForward::new(copy, y, argmax, layout).run(s);
        }
    }

    #[inline(always)]
    fn filter_lanes<S: Simd>(self, s: S) {
        let ConvMaxPool { conv: c, pool } = self.fused;
        let strides = self.fused.position_strides();
        let (windows, row_stride) = (self.fused.windows(), c.filters.next_multiple_of(LANES));
        let padded = if c.pad == [0; 4] { None } else { Some(c.padded_input(true)) };
        let (taps, scratch) = self.scratch.split_at_mut(c.rows().next_multiple_of(LANES));
        let taps = &mut offsets_in(taps)[..c.rows()];
        let (values, scratch) = scratch.split_at_mut(windows * row_stride);
        let (positions, copy) = scratch.split_at_mut(windows * row_stride);
        c.tap_offsets(padded, taps);
        if let Some(padded) = padded {
            copy[..padded.len()].fill(0.0);
        }
        let [down, right] = c.position_strides(padded);
        let layout = FilterLanesLayout {
            taps: OffsetTable::new(taps),
            panels: c.panels(),
            filters: self.filters,
            grid: pool.output(),
            steps: [down * pool.stride[0], right * pool.stride[1]],
            argmax_steps: [strides[0] * pool.stride[0], strides[1] * pool.stride[1]],
            down,
            offsets: position_offsets(strides).map(|offset| offset as i32),
            row_stride,
        };
        let (x_len, y_len) = (c.x_len(), pool.y_len());
        for (n, (mut x, y)) in self.x.chunks_exact(x_len).zip(self.y.chunks_exact_mut(y_len)).enumerate() {
            if let Some(padded) = padded {
                padded.fill(s, x, c.x_strides(), [c.height, c.width], copy);
                x = &*copy;
            }
            FilterLanesForward::new(x, values, positions, layout).run(s);
            for first in (0..windows).step_by(LANES) {
                let rows = (windows - first).min(LANES);
                for filter in (0..c.filters).step_by(LANES) {
                    let columns = (c.filters - filter).min(LANES);
                    let shape = Transpose { rows, columns, from_stride: row_stride, to_stride: windows, width: rows };
                    let (from, to) = (first * row_stride + filter, filter * windows + first);
                    s.call(TransposeCall { shape, from: &values[from..], to: &mut y[to..] });
                    if let Some(argmax) = self.argmax.get_mut(n * y_len..(n + 1) * y_len) {
                        s.call(TransposeCall { shape, from: &positions[from..], to: &mut argmax[to..] });
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn whole_image<S: Simd>(self, s: S) {
        let ConvMaxPool { conv: c, pool } = self.fused;
        let floor = self.filters.floor;
        let (sums, image) = self.scratch.split_at_mut(c.scratch().next_multiple_of(LANES));
        let image = &mut image[..c.y_len() + LANES];
        let filters = FilterBank { floor: f32::NEG_INFINITY, ..self.filters };
        let mut sums = PreparedForward::new(c, filters, c.filter_lanes(false), sums);
        let (x_len, y_len) = (c.x_len(), pool.y_len());
        for (n, (x, y)) in self.x.chunks_exact(x_len).zip(self.y.chunks_exact_mut(y_len)).enumerate() {
            let argmax = if self.argmax.is_empty() { &mut [] } else { &mut self.argmax[n * y_len..(n + 1) * y_len] };
            sums.sample(s, 0, x, image, c.y_strides());
            max_of_image(s, pool, image, self.fused.position_strides(), y, argmax);
            replace_by_floor(s, floor, y, argmax);
        }
    }
}

/// A transposition in a function of its own: so little is in use that the block stays in registers.
pub(super) struct TransposeCall<'a> {
    pub shape: Transpose,
    pub from: &'a [f32],
    pub to: &'a mut [f32],
}

impl Kernel for TransposeCall<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        transpose_block(s, self.shape, self.from, self.to);
    }
}

/// How far the four positions of a 2 × 2 window are from the first.
fn position_offsets([down, right]: [usize; 2]) -> [usize; POSITIONS] {
    [0, right, down, down + right]
}

/// Replaces maxima below the floor by it.
#[inline(always)]
fn replace_by_floor<S: Simd>(s: S, floor: f32, y: &mut [f32], argmax: &mut [f32]) {
    let (floor, none) = (s.splat(floor), s.splat(f32::from_bits(REPLACED)));
    if !argmax.is_empty() {
        for (y, argmax) in y.chunks(LANES).zip(argmax.chunks_mut(LANES)) {
            let below = s.le(s.load_part(y), floor);
            s.store_part(s.select(below, none, s.load_part(argmax)), argmax);
        }
    }
    for y in y.chunks_mut(LANES) {
        // The floor first: where the other is NaN, `max` gives the second.
        s.store_part(s.max(floor, s.load_part(y)), y);
    }
}
