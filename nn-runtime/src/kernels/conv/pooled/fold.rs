//! A copy of an image from which sixteen windows of a pool side by side are one vector, whatever rows they stand on.
//! Comes in: images with channels first; goes out: for each channel, column of what a window sees and row of that, the windows' numbers.
//! Never a number of the border written after the first time: a copy is used for one sample after the other.

use super::super::Conv;
use super::super::sheet::entry;
use super::PLACES;
use crate::kernels::pool::Pool;
use crate::kernels::simd::{Kernel, LANES, Simd};

/// A copy `[channels, columns, rows mod step, lines, windows in a row]`.
///
/// What the filters see for a window is `columns` wide. Neighbouring windows of a row are neighbours for each of these columns, and so
/// are rows of windows, as rows of the image a step of the windows apart follow each other.
#[derive(Clone, Copy)]
pub(super) struct Fold {
    c: Conv,
    /// From one window to the next below and to the right, in places of the input.
    step: [usize; 2],
    /// Columns that the filters see for one window.
    columns: usize,
    /// Rows of the image that are no step apart, as far as they are seen.
    phases: usize,
    /// Rows of the image a step apart.
    lines: usize,
    /// Windows in a row.
    across: usize,
    /// From one column of what a window sees to the next.
    plane: usize,
}

impl Fold {
    pub(super) const fn of(c: &Conv, pool: &Pool) -> Fold {
        let step = [c.stride[0] * pool.stride[0], c.stride[1] * pool.stride[1]];
        let [rows, columns] = [reach(c, pool, 0), reach(c, pool, 1)];
        let [down, across] = pool.output();
        let phases = if step[0] < rows { step[0] } else { rows };
        let lines = down + (rows - 1) / step[0];
        Fold { c: *c, step, columns, phases, lines, across, plane: phases * lines * across }
    }

    /// Numbers of memory, with room for a vector that starts at the last one.
    pub(super) const fn len(&self) -> usize {
        self.c.channels * self.columns * self.plane + LANES
    }

    /// Numbers of memory for a row with its border, as many as whole vectors of windows see.
    pub(super) const fn row_len(&self) -> usize {
        let (real, vectors) = (self.c.width + self.c.pad[2] + self.c.pad[3], self.across.next_multiple_of(LANES));
        let seen = self.columns + self.step[1] * vectors;
        if real > seen { real } else { seen }
    }

    /// Where the filters find their numbers, for each of their weights those of the four places of a window: see [`Conv::taps`].
    pub(super) fn taps(&self, table: &mut [f32]) {
        let (c, [rows, columns]) = (self.c, self.c.kernel);
        // How far a row is from the first one: rows of the image that are no step apart lie `lines` apart.
        let row = |y: usize| (y % self.step[0] * self.lines + y / self.step[0]) * self.across;
        let table = table.as_chunks_mut::<PLACES>().0;
        for ky in 0..rows {
            let y = ky * c.dilation[0];
            let (upper, lower) = (row(y), row(y + c.stride[0]));
            for channel in 0..c.channels {
                let taps = &mut table[(channel * rows + ky) * columns..][..columns];
                for (kx, to) in taps.iter_mut().enumerate() {
                    let left = (channel * self.columns + kx * c.dilation[1]) * self.plane;
                    let right = left + c.stride[1] * self.plane;
                    *to = [upper + left, upper + right, lower + left, lower + right].map(entry);
                }
            }
        }
    }
}

/// Copies an image, in a function of its own: so little is in use that it stays in registers.
pub(super) struct Fill<'a> {
    pub fold: Fold,
    pub x: &'a [f32],
    /// Room for one row with its border, which must be 0.
    pub row: &'a mut [f32],
    pub to: &'a mut [f32],
}

impl Kernel for Fill<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Fill { fold, x, row, to } = self;
        let (c, [top, _, left, right]) = (fold.c, fold.c.pad);
        let first = [top % fold.step[0], top / fold.step[0]];
        assert!(to.len() >= fold.len() && row.len() >= fold.row_len(), "expected room for a copy and a row");
        for (channel, plane) in (0..c.channels).map(|channel| (channel, channel * fold.columns * fold.plane)) {
            let [mut phase, mut line] = first;
            for y in channel * c.height..(channel + 1) * c.height {
                if phase < fold.phases && line < fold.lines {
                    let mut from = &x[y * c.width..];
                    // A vector may reach into the next row, but not beyond the image: its last lanes are not asked for.
                    if left + right != 0 || from.len() < row.len() {
                        row[left..left + c.width].copy_from_slice(&from[..c.width]);
                        from = &*row;
                    }
                    let to = to.as_mut_ptr().wrapping_add(plane + (phase * fold.lines + line) * fold.across);
                    // SAFETY: `from` is as long as `row`, and the copy has this line for each column.
                    unsafe { fold.row(s, from.as_ptr(), to) };
                }
                phase += 1;
                if phase == fold.step[0] {
                    (phase, line) = (0, line + 1);
                }
            }
        }
    }
}

impl Fold {
    /// What windows see of one row, column by column.
    ///
    /// # Safety
    /// `row_len` numbers can be read, and for each column as many written as there are windows in a row, `plane` apart.
    #[inline(always)]
    unsafe fn row<S: Simd>(self, s: S, from: *const f32, to: *mut f32) {
        let Fold { columns, plane, across, .. } = self;
        let step = self.step[1];
        for first in (0..across).step_by(LANES) {
            let lanes = (across - first).min(LANES);
            let (mut from, mut to) = (from.wrapping_add(step * first), to.wrapping_add(first));
            for column in 0..columns {
                // SAFETY: the caller vouches for the windows of this row; of an odd number of columns the last is alone.
                unsafe {
                    if step == 2 && column % 2 == 0 {
                        let near = s.load_ptr(from);
                        let far = if 2 * lanes > LANES { s.load_ptr(from.wrapping_add(LANES)) } else { near };
                        let (even, odd) = s.unzip(near, far);
                        s.store_part(even, core::slice::from_raw_parts_mut(to, lanes));
                        if column + 1 < columns {
                            s.store_part(odd, core::slice::from_raw_parts_mut(to.wrapping_add(plane), lanes));
                        }
                    } else if step != 2 {
                        for lane in 0..lanes {
                            *to.wrapping_add(lane) = *from.wrapping_add(lane * step);
                        }
                    }
                }
                (from, to) = (from.wrapping_add(1), to.wrapping_add(plane));
            }
        }
    }
}

/// Rows or columns that the filters see for one window.
const fn reach(c: &Conv, pool: &Pool, axis: usize) -> usize {
    (pool.window[axis] - 1) * c.stride[axis] + (c.kernel[axis] - 1) * c.dilation[axis] + 1
}
