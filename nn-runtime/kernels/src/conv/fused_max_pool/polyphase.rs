//! A copy of an image from which sixteen windows of a pool side by side are one vector, whatever rows they stand on.
//! Comes in: images with channels first; goes out: for each channel, column of what a window sees and row of that, the windows' numbers.
//! Never more than a vector written behind the last window of a column.

use super::super::Conv;
use super::super::padded::entry;
use crate::pool::Pool;
use crate::simd::{Kernel, LANES, Simd};

/// A copy `[channels, columns, rows mod step, lines, windows in a row]`.
///
/// What the filters see for a window is `columns` wide. Neighbouring windows of a row are neighbours for each of these columns, and so
/// are rows of windows, as rows of the image a step of the windows apart follow each other.
#[derive(Clone, Copy)]
pub(super) struct PolyphaseCopy {
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
    /// From one column of what a window sees to the next: with room for vectors that end behind the last window.
    plane: usize,
}

impl PolyphaseCopy {
    pub(super) const fn of(c: &Conv, pool: &Pool) -> PolyphaseCopy {
        let step = [c.stride[0] * pool.stride[0], c.stride[1] * pool.stride[1]];
        let [rows, columns] = [reach(c, pool, 0), reach(c, pool, 1)];
        let [down, across] = pool.output();
        let phases = if step[0] < rows { step[0] } else { rows };
        let lines = down + (rows - 1) / step[0];
        let plane = (phases * lines * across + LANES).next_multiple_of(LANES);
        PolyphaseCopy { c: *c, step, columns, phases, lines, across, plane }
    }

    /// Numbers of memory.
    pub(super) const fn len(&self) -> usize {
        self.c.channels * self.image()
    }

    /// From one channel to the next: of two columns that are copied together the second may be there in vain.
    const fn image(&self) -> usize {
        self.columns.next_multiple_of(2) * self.plane
    }

    /// Numbers of memory for the image with its border, and what is loaded in vain behind it.
    pub(super) const fn sheet_len(&self) -> usize {
        let [height, width] = self.bordered();
        (self.c.channels * height + self.step[0]) * width + self.columns + (self.step[1] + 1) * LANES
    }

    const fn bordered(&self) -> [usize; 2] {
        let [top, bottom, left, right] = self.c.pad;
        [top + self.c.height + bottom, left + self.c.width + right]
    }

    /// Where the upper and the lower places of a window find the number for the first weight of each row of the kernels.
    pub(super) fn rows(&self, table: &mut [f32]) {
        let c = self.c;
        // How far a row is from the first one: rows of the image that are no step apart lie `lines` apart.
        let row = |y: usize| (y % self.step[0] * self.lines + y / self.step[0]) * self.across;
        let table = table.as_chunks_mut::<2>().0;
        for y in 0..c.kernel[0] {
            let (upper, lower) = (row(y * c.dilation[0]), row(y * c.dilation[0] + c.stride[0]));
            for channel in 0..c.channels {
                let first = channel * self.image();
                table[channel * c.kernel[0] + y] = [first + upper, first + lower].map(entry);
            }
        }
    }

    /// From one column of what a window sees to the next.
    pub(super) const fn plane(&self) -> usize {
        self.plane
    }
}

/// Copies an image, in a function of its own: so little is in use that it stays in registers.
pub(super) struct FillPolyphase<'a> {
    pub fold: PolyphaseCopy,
    pub x: &'a [f32],
    /// Room for the image with its border, which must be 0.
    pub sheet: &'a mut [f32],
    pub to: &'a mut [f32],
}

impl Kernel for FillPolyphase<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let FillPolyphase { fold, x, sheet, to } = self;
        let ([height, width], [top, _, left, _]) = (fold.bordered(), fold.c.pad);
        assert!(sheet.len() == fold.sheet_len() && to.len() >= fold.len(), "expected room for a sheet and a copy");
        if fold.c.pad == [0; 4] {
            sheet[..x.len()].copy_from_slice(x);
        } else {
            for (n, row) in x.chunks_exact(fold.c.width).enumerate() {
                let line = n / fold.c.height * height + top + n % fold.c.height;
                sheet[line * width + left..][..row.len()].copy_from_slice(row);
            }
        }
        let PolyphaseCopy { columns, plane, across, lines, step, phases, .. } = fold;
        for channel in 0..fold.c.channels {
            let mut to = to.as_mut_ptr().wrapping_add(channel * fold.image());
            for phase in 0..phases {
                let mut from = sheet.as_ptr().wrapping_add((channel * height + phase) * width);
                for _ in 0..lines {
                    // SAFETY: the sheet ends with what is loaded in vain, and each column has room for a vector more.
                    unsafe {
                        for first in (0..across).step_by(LANES) {
                            let (from, to) = (from.wrapping_add(step[1] * first), to.wrapping_add(first));
                            if step[1] == 2 {
                                halves(s, across - first, columns, from, to, plane);
                            } else {
                                for column in 0..columns {
                                    for lane in 0..(across - first).min(LANES) {
                                        *to.wrapping_add(column * plane + lane) =
                                            *from.wrapping_add(column + lane * step[1]);
                                    }
                                }
                            }
                        }
                    }
                    (from, to) = (from.wrapping_add(step[0] * width), to.wrapping_add(across));
                }
            }
        }
    }
}

/// For each of the columns every second number of a row, as many as there are windows, sixteen at most.
///
/// # Safety
/// As many can be read; for each column a vector can be written, `plane` apart, and for one more where they are odd. What stands there
/// behind the last window is overwritten by the next line, or never asked for.
#[inline(always)]
unsafe fn halves<S: Simd>(s: S, windows: usize, columns: usize, mut from: *const f32, mut to: *mut f32, plane: usize) {
    for _ in 0..columns.div_ceil(2) {
        // SAFETY: the caller vouches for both vectors.
        let near = unsafe { s.load_ptr(from) };
        let mut far = near;
        if 2 * windows > LANES {
            // SAFETY: so many windows see more than a vector.
            far = unsafe { s.load_ptr(from.wrapping_add(LANES)) };
        }
        let (even, odd) = s.unzip(near, far);
        // SAFETY: the caller vouches for both columns.
        unsafe {
            s.store_ptr(even, to);
            s.store_ptr(odd, to.wrapping_add(plane));
        }
        (from, to) = (from.wrapping_add(2), to.wrapping_add(2 * plane));
    }
}

/// Rows or columns that the filters see for one window.
const fn reach(c: &Conv, pool: &Pool, axis: usize) -> usize {
    (pool.window[axis] - 1) * c.stride[axis] + (c.kernel[axis] - 1) * c.dilation[axis] + 1
}
