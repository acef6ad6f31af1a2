//! A copy of an image from which sixteen neighbouring windows of a pool are one vector, whatever rows they
//! stand on. Images come in with channels first; for each channel, column of what a window sees and row of
//! that, out go the numbers of all windows.

use super::super::Conv;
use super::ConvMaxPool;
use crate::simd::{Kernel, LANES, Simd};
use crate::sizes::{product, round_up, sum};

/// A copy `[channels, columns, rows mod step, lines, windows in a row]`.
///
/// What the filters see for a window is `columns` wide. Neighbouring windows of a row are neighbours for each
/// of these columns, and so are rows of windows, as rows of the image a step of the windows apart follow each
/// other.
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
    /// From one column of what a window sees to the next: at least a vector more than the numbers of a
    /// column.
    plane: usize,
}

impl PolyphaseCopy {
    pub(super) const fn of(fused: &ConvMaxPool) -> PolyphaseCopy {
        let step = fused.window_steps();
        let [rows, columns] = [fused.reach(0), fused.reach(1)];
        let [down, across] = fused.pool.output();
        let phases = if step[0] < rows { step[0] } else { rows };
        let lines = sum([down, (rows - 1) / step[0]]);
        let plane = round_up(sum([product([phases, lines, across]), LANES]), LANES);
        PolyphaseCopy { c: fused.conv, step, columns, phases, lines, across, plane }
    }

    /// Numbers of memory.
    pub(super) const fn len(&self) -> usize {
        product([self.c.channels, self.channel()])
    }

    /// From one channel to the next: columns are copied in pairs, so that the last may be slack.
    const fn channel(&self) -> usize {
        product([round_up(self.columns, 2), self.plane])
    }

    /// Numbers of memory for the image with its border, and the slack behind it that is loaded and not used.
    pub(super) const fn bordered_len(&self) -> usize {
        let [height, width] = self.bordered();
        let lines = sum([product([self.c.channels, height]), self.step[0]]);
        sum([product([lines, width]), self.columns, product([sum([self.step[1], 1]), LANES])])
    }

    const fn bordered(&self) -> [usize; 2] {
        let [top, bottom, left, right] = self.c.pad;
        [sum([top, self.c.height, bottom]), sum([left, self.c.width, right])]
    }

    /// For each row of the kernels, where the upper and the lower positions of the first window find the
    /// number for its first weight.
    pub(super) fn row_offsets(&self, table: &mut [u32]) {
        let c = self.c;
        // How far a row is from the first one: rows of the image that are no step apart lie `lines` apart.
        let row = |y: usize| (y % self.step[0] * self.lines + y / self.step[0]) * self.across;
        let table = table.as_chunks_mut::<2>().0;
        for y in 0..c.kernel[0] {
            let (upper, lower) = (row(y * c.dilation[0]), row(y * c.dilation[0] + c.stride[0]));
            for channel in 0..c.channels {
                let first = channel * self.channel();
                table[channel * c.kernel[0] + y] = [(first + upper) as u32, (first + lower) as u32];
            }
        }
    }

    /// From one column of what a window sees to the next.
    pub(super) const fn plane(&self) -> usize {
        self.plane
    }
}

impl ConvMaxPool {
    /// Rows or columns that the filters see for one window.
    const fn reach(&self, axis: usize) -> usize {
        let (c, window) = (&self.conv, self.pool.window[axis]);
        sum([product([window - 1, c.stride[axis]]), product([c.kernel[axis] - 1, c.dilation[axis]]), 1])
    }
}

/// Copies an image, in a function of its own: so little is in use that it stays in registers.
pub(super) struct FillPolyphase<'a> {
    pub polyphase: PolyphaseCopy,
    pub x: &'a [f32],
    /// Memory for the image with its border, which must be 0.
    pub bordered: &'a mut [f32],
    pub to: &'a mut [f32],
}

impl Kernel for FillPolyphase<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let FillPolyphase { polyphase, x, bordered, to } = self;
        let PolyphaseCopy { c, columns, plane, across, lines, step, phases, .. } = polyphase;
        let ([height, width], [top, _, left, _]) = (polyphase.bordered(), c.pad);
        assert!(
            bordered.len() == polyphase.bordered_len() && to.len() >= polyphase.len(),
            "expected memory for the image with its border and for a copy"
        );
        if c.pad == [0; 4] {
            bordered[..x.len()].copy_from_slice(x);
        } else {
            for (n, row) in x.chunks_exact(c.width).enumerate() {
                let line = n / c.height * height + top + n % c.height;
                bordered[line * width + left..][..row.len()].copy_from_slice(row);
            }
        }
        for channel in 0..c.channels {
            let mut to = to.as_mut_ptr().wrapping_add(channel * polyphase.channel());
            for phase in 0..phases {
                let mut from = bordered.as_ptr().wrapping_add((channel * height + phase) * width);
                for _ in 0..lines {
                    for first in (0..across).step_by(LANES) {
                        let (from, to) = (from.wrapping_add(step[1] * first), to.wrapping_add(first));
                        // SAFETY: row `phase + step·line` of a channel is below its height plus a step, so
                        // `from` is at most `(channels·height + step - 1)·width + step·(across - 1)`, and the
                        // rest of `bordered_len` holds `columns + (step + 1)·16` numbers more; `to` is at
                        // most a plane less a vector into the channel, and a vector of each of its columns,
                        // rounded up to pairs, ends within the channel.
                        unsafe {
                            if step[1] == 2 {
                                every_second(s, across - first, columns, from, to, plane);
                            } else {
                                every_step((across - first).min(LANES), step[1], columns, from, to, plane);
                            }
                        }
                    }
                    (from, to) = (from.wrapping_add(step[0] * width), to.wrapping_add(across));
                }
            }
        }
    }
}

/// For each of the columns the numbers of a row that are `step` apart, one for each of `windows`.
///
/// # Safety
/// `columns + (windows - 1)·step` numbers can be read; for each column `windows` can be written, `plane`
/// apart.
#[inline(always)]
unsafe fn every_step(windows: usize, step: usize, columns: usize, from: *const f32, to: *mut f32, plane: usize) {
    for column in 0..columns {
        for lane in 0..windows {
            // SAFETY: the number read is at most `columns - 1 + (windows - 1)·step` from the first; the one
            // written is in one of the columns, below `windows`.
            unsafe { *to.wrapping_add(column * plane + lane) = *from.wrapping_add(column + lane * step) };
        }
    }
}

/// For each of the columns every second number of a row, as many as there are windows, sixteen at most.
///
/// # Safety
/// Where windows are at most eight, `columns + 16` numbers can be read, else `columns + 32`. For each column
/// a vector can be written, `plane` apart, and for one more where they are odd: what stands there behind the
/// last window is overwritten by the next line, or never asked for.
#[inline(always)]
unsafe fn every_second<S: Simd>(
    s: S,
    windows: usize,
    columns: usize,
    mut from: *const f32,
    mut to: *mut f32,
    plane: usize,
) {
    for _ in 0..columns.div_ceil(2) {
        // SAFETY: from column `columns - 1` on at most, sixteen numbers.
        let near = unsafe { s.load_ptr(from) };
        let mut far = near;
        if 2 * windows > LANES {
            // SAFETY: the sixteen after these, which can be read with more than eight windows.
            far = unsafe { s.load_ptr(from.wrapping_add(LANES)) };
        }
        let (even, odd) = s.unzip(near, far);
        // SAFETY: two columns of which the first is below `columns`.
        unsafe {
            s.store_ptr(even, to);
            s.store_ptr(odd, to.wrapping_add(plane));
        }
        (from, to) = (from.wrapping_add(2), to.wrapping_add(2 * plane));
    }
}
