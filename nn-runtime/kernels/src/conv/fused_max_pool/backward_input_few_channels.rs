//! Backward to the inputs where filters see few channels: for each window all that any of its positions sees,
//! its receptive field, is one sum in registers. Gradients, positions of maxima and weights come in;
//! gradients of inputs go out, overwritten. Nothing is asked of a maximum but which position of its window it
//! was: that picks a copy of the filter, laid out for that position.

use core::hint::black_box;
use core::marker::PhantomData;
use core::ops::Range;

use super::super::offsets::indices_in;
use super::{ConvMaxPool, MaxPoolGrad, POSITIONS};
use crate::matrix::Panels;
use crate::simd::{Kernel, LANE_INDEX, LANES, Simd};
use crate::sizes::{product, round_up, sum};

/// The receptive field `[channels, rows, columns]` of one window.
#[derive(Clone, Copy)]
pub(super) struct ReceptiveField {
    fused: ConvMaxPool,
    /// The channels that are taken together: few, so that the filters' parts for them stay in the nearest
    /// cache for all samples.
    channels: usize,
    /// Rows and columns.
    sides: [usize; 2],
    /// From one window to the next below and to the right, in places of the input.
    step: [usize; 2],
    /// Rows and columns of windows.
    grid: [usize; 2],
    /// From one position of a window to the next below and to the right, in fields.
    position_steps: [usize; 2],
}

impl ReceptiveField {
    /// That of the windows of `fused`, where it is best to take it as a whole: see the table in `conv.rs`.
    pub(super) const fn of(fused: &ConvMaxPool) -> Option<ReceptiveField> {
        if !fused.is_two_by_two() {
            return None;
        }
        let c = &fused.conv;
        let rows = sum([c.stride[0], product([c.kernel[0] - 1, c.dilation[0]]), 1]);
        let columns = sum([c.stride[1], product([c.kernel[1] - 1, c.dilation[1]]), 1]);
        let step = fused.window_steps();
        let most = WIDE * LANES / product([rows, columns]);
        if most == 0 || columns > LANES || step[1] < 2 {
            return None;
        }
        let position_steps = [c.stride[0] * columns, c.stride[1]];
        // No more parts than needed, about as large as each other.
        let parts = c.channels.div_ceil(most);
        let channels = c.channels.div_ceil(parts);
        let grid = fused.pool.output();
        let field = ReceptiveField { fused: *fused, channels, sides: [rows, columns], step, grid, position_steps };
        let by_rows = product([c.kernel[0], product([c.kernel[1], c.channels]).div_ceil(LANES)]);
        // To add a number where it lies costs twice what it costs in a register; and the copies are read in
        // no order.
        let pays = product([parts, field.vectors()]) <= product([2, by_rows])
            && product([parts, field.table_len()]) <= 1 << 16;
        if pays { Some(field) } else { None }
    }

    const fn vectors(&self) -> usize {
        (self.channels * self.sides[0] * self.sides[1]).div_ceil(LANES)
    }

    /// From one field to the next: one or two times what stays in registers.
    const fn field_len(&self) -> usize {
        self.vectors().next_multiple_of(NARROW) * LANES
    }

    /// The vectors that stay in registers at a time.
    const fn together<S: Simd>(&self) -> usize {
        if S::REGISTERS >= 32 && self.vectors() > NARROW { WIDE } else { NARROW }
    }

    /// Copies of filters: one for each position of a window, and one that is all 0.
    const fn copies(&self) -> usize {
        sum([product([self.fused.conv.filters, POSITIONS]), 1])
    }

    /// Numbers of all copies.
    const fn table_len(&self) -> usize {
        product([self.copies(), self.field_len()])
    }

    const fn windows(&self) -> usize {
        self.grid[0] * self.grid[1]
    }

    /// From one filter to the next of what is kept for each window.
    const fn filter_stride(&self) -> usize {
        round_up(self.windows(), LANES)
    }

    /// Numbers of all fields, with a vector before and one behind.
    const fn fields_len(&self) -> usize {
        sum([product([self.windows(), self.field_len()]), 2 * LANES])
    }

    /// Numbers of memory: the table, where windows begin, a copy and a gradient for each maximum, and the
    /// fields.
    pub(super) const fn scratch(&self) -> usize {
        let per_window = sum([product([2, self.fused.conv.filters]), 1]);
        sum([self.table_len(), product([per_window, self.filter_stride()]), self.fields_len()])
    }

    /// Lays the filters' parts for some channels out, `together` vectors of all copies, then as many more.
    fn copy_filters(&self, w: &[f32], channels: Range<usize>, together: usize, table: &mut [f32]) {
        table.fill(0.0);
        let c = &self.fused.conv;
        let (panels, wide) = (c.panels(), together * LANES);
        let ([rows, columns], [down, right]) = (c.kernel, self.position_steps);
        let part = wide * self.copies();
        for filter in 0..c.filters {
            let panel = &w[panels.index(channels.start * rows * columns, filter)..];
            let mut weights = panel.iter().step_by(panels.width(filter / Panels::WIDTH));
            let copies = &mut table[filter * POSITIONS * wide..];
            for channel in (0..channels.len()).map(|channel| channel * self.sides[0] * self.sides[1]) {
                for y in (0..rows).map(|k| channel + k * c.dilation[0] * self.sides[1]) {
                    for (x, weight) in (0..columns).map(|k| y + k * c.dilation[1]).zip(&mut weights) {
                        for (position, step) in [0, right, down, down + right].into_iter().enumerate() {
                            // What is taken together is all or a half of it.
                            let at = x + step;
                            let lane = if at < wide { at } else { part + at - wide };
                            copies[position * wide + lane] = *weight;
                        }
                    }
                }
            }
        }
    }
}

/// How many vectors of a field are taken together: as many as one may have, or a half.
const WIDE: usize = 7;
const NARROW: usize = 4;

/// The gradients of the inputs of all samples; the lengths have been checked.
pub(super) struct FewChannelsInputGrad<'a> {
    pub field: ReceptiveField,
    pub grad: MaxPoolGrad<'a>,
    pub w: &'a [f32],
    pub dx: &'a mut [f32],
    pub scratch: &'a mut [f32],
}

impl Kernel for FewChannelsInputGrad<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let FewChannelsInputGrad { field, grad, w, dx, scratch } = self;
        let (ConvMaxPool { conv: c, pool }, windows, stride) = (field.fused, field.windows(), field.filter_stride());
        let (table, scratch) = scratch.split_at_mut(field.table_len());
        let (origins, scratch) = scratch.split_at_mut(stride);
        let (copies, scratch) = scratch.split_at_mut(c.filters * stride);
        let (gradients, scratch) = scratch.split_at_mut(c.filters * stride);
        let (origins, copies) = (indices_in(origins), indices_in(copies));
        let fields = &mut scratch[..field.fields_len()];
        let together = field.together::<S>();
        fields.fill(0.0);
        field.fused.window_origins(&mut origins[..windows]);
        let kept = field.fused.position_strides();
        for start in (0..c.channels).step_by(field.channels) {
            let channels = start..c.channels.min(start + field.channels);
            field.copy_filters(w, channels.clone(), together, table);
            let samples = grad.dy.chunks_exact(pool.y_len()).zip(grad.argmax.chunks_exact(pool.y_len()));
            for (dx, (dy, argmax)) in dx.chunks_exact_mut(c.x_len()).zip(samples) {
                s.call(PickCopies { field, kept, grad: MaxPoolGrad { dy, argmax }, origins, copies, gradients });
                for first in (0..field.vectors() * LANES).step_by(together * LANES) {
                    // SAFETY: `PickCopies` has just written nothing but numbers of copies, for all windows.
                    let job = unsafe { FieldSums::new(field, table, copies, gradients, fields, first) };
                    if together == WIDE {
                        s.call(FieldTile::<WIDE>(job));
                    } else {
                        s.call(FieldTile::<NARROW>(job));
                    }
                }
                let plane = c.height * c.width;
                s.call(GatherFields { field, fields, dx: &mut dx[channels.start * plane..channels.end * plane] });
            }
        }
    }
}

/// For each maximum which copy of its filter it takes, and its gradient; of one that does not pass, the copy
/// that is all 0, and 0.
struct PickCopies<'a> {
    field: ReceptiveField,
    /// From one position to the next below and to the right, as `argmax` counts.
    kept: [usize; 2],
    grad: MaxPoolGrad<'a>,
    origins: &'a [i32],
    copies: &'a mut [i32],
    gradients: &'a mut [f32],
}

impl Kernel for PickCopies<'_> {
    type Out = ();
    /// Whatever `argmax` holds, every copy is from 0 to `field.copies() - 1`.
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let PickCopies { field, kept: [down, right], grad, origins, copies, gradients } = self;
        let (windows, stride) = (field.windows(), field.filter_stride());
        let zeros = s.from_bits(s.splat_i((field.fused.conv.filters * POSITIONS) as i32));
        let to = copies.chunks_exact_mut(stride).zip(gradients.chunks_exact_mut(stride));
        let from = grad.dy.chunks_exact(windows).zip(grad.argmax.chunks_exact(windows));
        for (filter, ((copies, gradients), (dy, argmax))) in to.zip(from).enumerate() {
            let first = s.splat_i((filter * POSITIONS) as i32);
            let to = copies.as_chunks_mut::<LANES>().0.iter_mut().zip(gradients.as_chunks_mut::<LANES>().0);
            let from = dy.chunks(LANES).zip(argmax.chunks(LANES));
            for (((copy, gradient), (dy, at)), origin) in to.zip(from).zip(origins.as_chunks::<LANES>().0) {
                let (dy, at, origin) = (s.load_part(dy), s.bits(s.load_part(at)), s.load_i(origin));
                let place = s.sub_i(at, origin);
                // The first position, or the one to its right; then the same below.
                let below = s.not_m(s.lt_i(place, s.splat_i(down as i32)));
                let row = s.select(below, s.from_bits(s.splat_i(2)), s.splat(0.0));
                let start = s.select(below, s.from_bits(s.splat_i(down as i32)), s.splat(0.0));
                let beside = s.not_m(s.lt_i(s.sub_i(place, s.bits(start)), s.splat_i(right as i32)));
                let column = s.select(beside, s.from_bits(s.splat_i(1)), s.splat(0.0));
                let picked = s.add_i(first, s.add_i(s.bits(row), s.bits(column)));
                let idle = s.or_m(s.lt_i(at, s.splat_i(0)), s.eq(dy, s.splat(0.0)));
                s.store_i(s.bits(s.select(idle, zeros, s.from_bits(picked))), copy);
                s.store(s.select(idle, s.splat(0.0), dy), gradient);
            }
        }
    }
}

/// Some vectors of all fields, which begin with number `first` of each.
#[derive(Clone, Copy)]
struct FieldSums<'a> {
    field: ReceptiveField,
    table: *const f32,
    copies: *const i32,
    gradients: *const f32,
    fields: *mut f32,
    first: usize,
    borrowed: PhantomData<(&'a [f32], &'a mut [f32])>,
}

impl<'a> FieldSums<'a> {
    /// # Safety
    /// `copies[f·filter_stride + q]` is from 0 to `field.copies() - 1` for every filter f and window q.
    ///
    /// # Panics
    /// A slice is shorter than the field asks for, or `first` is no vector of a field.
    #[inline(always)]
    unsafe fn new(
        field: ReceptiveField,
        table: &'a [f32],
        copies: &'a [i32],
        gradients: &'a [f32],
        fields: &'a mut [f32],
        first: usize,
    ) -> FieldSums<'a> {
        let kept = (field.fused.conv.filters - 1) * field.filter_stride() + field.windows();
        assert!(copies.len() >= kept && gradients.len() >= kept, "expected a copy and a gradient for each maximum");
        assert!(
            table.len() >= field.table_len() && fields.len() >= field.fields_len() && first < field.field_len(),
            "expected all copies of filters, and all fields"
        );
        FieldSums {
            field,
            table: table.as_ptr(),
            copies: copies.as_ptr(),
            gradients: gradients.as_ptr(),
            fields: fields.as_mut_ptr(),
            first,
            borrowed: PhantomData,
        }
    }
}

/// `V` vectors, in a function of its own: the registers are allotted for each anew. `V` is what the field has
/// [`together`](ReceptiveField::together), and `first` a multiple of it: only `FewChannelsInputGrad` makes
/// one.
struct FieldTile<'a, const V: usize>(FieldSums<'a>);

impl<const V: usize> Kernel for FieldTile<'_, V> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let FieldSums { field, table, copies, gradients, fields, first, .. } = self.0;
        let (stride, field_len) = (field.filter_stride(), field.field_len());
        let table = table.wrapping_add(first * field.copies());
        for window in 0..field.windows() {
            let mut sums = [s.splat(0.0); V];
            let mut at = window;
            for _ in 0..field.fused.conv.filters {
                // SAFETY: `at` is at most `(filters - 1)·filter_stride + windows - 1`, which `new` has
                // checked.
                let (copy, dy) = unsafe { (*copies.wrapping_add(at) as usize, *gradients.wrapping_add(at)) };
                let (copy, dy) = (table.wrapping_add(copy * V * LANES), s.splat(dy));
                for (v, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: `copy < copies()`, by `new`, so the vector ends at most at `(first +
                    // V·16)·copies()`; and `first + V·16` is at most `field_len`, so that is within the
                    // table.
                    *sum = s.fma(unsafe { s.load_ptr(copy.wrapping_add(v * LANES)) }, dy, *sum);
                }
                at += stride;
            }
            for (v, sum) in sums.into_iter().enumerate() {
                // SAFETY: the vector ends at most at `16 + windows·field_len`, and `fields` has a vector
                // more.
                unsafe { s.store_ptr(sum, fields.wrapping_add(LANES + window * field_len + first + v * LANES)) };
            }
        }
    }
}

/// Adds for each input of some channels what the windows that see it have for it, row by row of them.
struct GatherFields<'a> {
    field: ReceptiveField,
    fields: &'a [f32],
    dx: &'a mut [f32],
}

/// Neighbouring windows that are taken together.
const SIDE: usize = 4;

impl Kernel for GatherFields<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let GatherFields { field, fields, dx } = self;
        let ReceptiveField { fused, sides: [rows, columns], step, grid, .. } = field;
        let c = fused.conv;
        let (field_len, [top, _, left, _]) = (field.field_len(), c.pad);
        let (plane, channels) = (c.height * c.width, dx.len() / (c.height * c.width));
        assert!(
            fields.len() >= field.fields_len() && channels <= field.channels,
            "expected all fields, and channels that they hold"
        );
        let lanes = s.load_i(&LANE_INDEX);
        for first in (0..c.width).step_by(LANES) {
            // The windows that see one of these columns.
            let x = first + left;
            let seen = (x + step[1]).saturating_sub(columns) / step[1]..grid[1].min((x + LANES - 1) / step[1] + 1);
            let count = (c.width - first).min(LANES);
            // At least once: what no window sees is 0.
            for side in (seen.start..seen.end.max(seen.start + 1)).step_by(SIDE) {
                // Where the fields of these windows begin, and which lanes they have; of those that are not
                // there, none.
                let mut there = [s.lt_i(lanes, lanes); SIDE];
                let mut begins = [fields.as_ptr(); SIDE];
                for (n, (there, begins)) in there.iter_mut().zip(&mut begins).enumerate() {
                    let window = side + n;
                    if window < seen.end {
                        let begin = (window * step[1]) as i32 - x as i32;
                        let end = s.lt_i(lanes, s.splat_i(begin + columns as i32));
                        *there = s.and_m(s.not_m(s.lt_i(lanes, s.splat_i(begin))), end);
                        *begins = begins.wrapping_add(LANES + window * field_len + x).wrapping_sub(window * step[1]);
                    }
                }
                let begins = black_box(begins);
                // The rows of windows that see a row.
                let mut above = 0..0;
                for y in 0..c.height {
                    let at = y + top;
                    while above.start < grid[0] && above.start * step[0] + rows <= at {
                        above.start += 1;
                    }
                    while above.end < grid[0] && above.end * step[0] <= at {
                        above.end += 1;
                    }
                    for channel in 0..channels {
                        let to = channel * plane + y * c.width + first;
                        let dx = &mut dx[to..to + count];
                        let mut sum = if side == seen.start { s.splat(0.0) } else { s.load_part(dx) };
                        for row in above.start..above.end {
                            let line = (channel * rows + at - row * step[0]) * columns + row * grid[1] * field_len;
                            for (there, begin) in there.into_iter().zip(begins) {
                                // SAFETY: the row of a field that `line` stands for is below `rows`, so it
                                // ends within the field. A window that is there sees column x - window·step +
                                // lane for some lane, from 0 to columns - 1; so the vector begins at most 15
                                // before that row of its field, and at most at its last number: of the
                                // vectors before and behind all fields it needs no more. For a window that is
                                // not there, `begin` is that of `fields`, which `line` ends within.
                                let part = unsafe { s.load_ptr(begin.wrapping_add(line)) };
                                sum = s.select(there, s.add(sum, part), sum);
                            }
                        }
                        s.store_part(sum, dx);
                    }
                }
            }
        }
    }
}
