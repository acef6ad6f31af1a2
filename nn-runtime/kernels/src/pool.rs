//! Pools: the largest or the mean of what a window sees, and backward. Images come in one after the other;
//! smaller images go out, where each maximum stood, or gradients. A border is nowhere in memory: it is no
//! candidate for a maximum, and counts in a mean only where that is asked for. No result depends on how a
//! batch is split.

mod average;
mod masked;
mod max;
#[cfg(test)]
mod tests;
mod uneven;

pub use average::{avg_pool, avg_pool_backward};
pub use masked::masked_mean;
pub(super) use max::{RunningMax, max_of_image};
pub use max::{max_pool, max_pool_backward};
pub use uneven::{Spacing, UnevenPool, uneven_max_pool, uneven_max_pool_backward, uneven_mean, uneven_mean_backward};

use core::ops::Range;

use super::sizes::{positions, product, sum};

/// What a pool is: sizes of one sample, and how the window moves over it.
///
/// An image is `[channels, height, width]`, or with `channels_last` `[height, width, channels]`; the output
/// has the same order. A sequence `[steps, features]` is an image with `channels_last`, a height of 1, and
/// the steps as its width.
///
/// ```
/// use nn_kernels::pool::Pool;
/// assert_eq!(Pool::new([16, 26, 27], [2, 2]).output(), [13, 13]);
/// assert_eq!(Pool { stride: [2, 2], pad: [1; 4], ..Pool::new([16, 32, 32], [3, 3]) }.output(), [16, 16]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pool {
    /// Channels, each by itself.
    pub channels: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Rows and columns of the window.
    pub window: [usize; 2],
    /// Steps of the window down and to the right.
    pub stride: [usize; 2],
    /// Border around the input: above, below, left, right; fewer than the window is large.
    pub pad: [usize; 4],
    /// Of the border below and on the right, how much no mean counts: what windows reach over beyond it,
    /// where as many stand as begin within (PyTorch's `ceil_mode`).
    pub beyond: [usize; 2],
    /// Whether channels vary fastest in memory, or slowest.
    pub channels_last: bool,
}

impl Pool {
    /// Windows side by side, no border, channels first, over `[channels, height, width]`.
    pub const fn new([channels, height, width]: [usize; 3], window: [usize; 2]) -> Pool {
        Pool { channels, height, width, window, stride: window, pad: [0; 4], beyond: [0; 2], channels_last: false }
    }

    /// Height and width of the output: `(size + pads − window) / stride + 1`, rounded down.
    ///
    /// # Panics
    /// A size or a stride is 0, the window is larger than the input with its border, or no larger than a
    /// border.
    pub const fn output(&self) -> [usize; 2] {
        assert!(self.channels != 0, "expected at least 1 channel");
        let [top, bottom, left, right] = self.pad;
        [
            positions_along(self.height, [top, bottom], self.window[0], self.stride[0]),
            positions_along(self.width, [left, right], self.window[1], self.stride[1]),
        ]
    }

    /// Numbers of one input, or `usize::MAX` where they are more.
    pub const fn x_len(&self) -> usize {
        product([self.channels, self.height, self.width])
    }

    /// Numbers of one output, or `usize::MAX` where they are more.
    pub const fn y_len(&self) -> usize {
        let [height, width] = self.output();
        product([self.channels, height, width])
    }

    /// The samples in inputs and outputs, which must agree.
    fn batch(&self, x: &[f32], y: &[f32]) {
        let (x_len, y_len) = (self.x_len(), self.y_len());
        let batch = x.len() / x_len;
        assert!(
            x.len() == batch * x_len && y.len() == product([batch, y_len]),
            "expected samples of {x_len} inputs and {y_len} outputs, found {} and {} numbers",
            x.len(),
            y.len()
        );
    }

    /// The images that are pooled each by itself, and their channels, which lie side by side: with channels
    /// first each channel is an image by itself.
    const fn images(&self, len: usize) -> (usize, usize) {
        let channels = if self.channels_last { self.channels } else { 1 };
        (len / (self.height * self.width * channels), channels)
    }

    /// The inputs along `axis` that the window of output `o` sees.
    pub fn sees(&self, axis: usize, o: usize) -> Range<usize> {
        let size = if axis == 0 { self.height } else { self.width };
        let (start, pad) = (o * self.stride[axis], self.pad[2 * axis]);
        start.saturating_sub(pad)..(start + self.window[axis] - pad).min(size)
    }

    /// The columns of outputs whose windows lie within the input.
    fn inside(&self) -> Range<usize> {
        let (pad, stride) = (self.pad[2], self.stride[1]);
        let end = (self.width + pad).checked_sub(self.window[1]).map_or(0, |last| last / stride + 1);
        let start = pad.div_ceil(stride).min(end);
        start..end.min(self.output()[1]).max(start)
    }
}

/// Positions of a window along one axis of `size`, with `before` and `after` as its border.
const fn positions_along(size: usize, [before, after]: [usize; 2], window: usize, stride: usize) -> usize {
    assert!(size != 0 && stride != 0, "expected an input and a stride of at least 1");
    assert!(before < window && after < window, "expected a border smaller than the window");
    let size = sum([size, before, after]);
    assert!(window <= size, "expected a window that fits into the input with its border");
    positions(size, window, stride)
}
