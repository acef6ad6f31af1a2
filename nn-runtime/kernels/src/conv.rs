//! Convolutions, forward and backward, and by exchange of the two transposed convolutions.
//! Comes in: images one after the other, weights in panels; goes out: images, or gradients. A column of the panels is a filter.
//! The loops walk tables of offsets into the image, or into a copy with its border; windows are laid out one by one only where all of
//! one is a vector or two.
//! Never an allocation, and never a result that depends on tiles, on the form chosen, or on how a batch or a range is cut.

mod backward_input;
mod backward_weight;
mod forward;
pub mod pooled;
mod scatter;
mod sheet;
#[cfg(test)]
mod tests;
mod window;

pub use backward_input::{backward_input, transposed};
pub use backward_weight::{backward_bias, backward_weight};
pub use forward::forward;

use super::matrix::Panels;
use super::simd::LANES;
use sheet::{Sheet, Spread};

/// What a convolution is: sizes of one sample, and how the kernel moves over it.
///
/// An image is `[channels, height, width]`, or with `channels_last` `[height, width, channels]`; what comes out lies likewise, with
/// the filters as channels. Steps with features are an image with `channels_last`, a height of 1, and the steps as its width.
///
/// ```
/// use nn_kernels::conv::Conv;
/// let c = Conv { stride: [2, 2], pad: [1; 4], ..Conv::new([3, 32, 32], 8, [3, 3]) };
/// assert_eq!(c.output(), [16, 16]);
/// assert_eq!(c.rows(), 3 * 3 * 3);
/// assert_eq!(c.macs(), 8 * 16 * 16 * 27);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conv {
    /// Channels of the input.
    pub channels: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Channels of the output.
    pub filters: usize,
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Steps of the kernel down and to the right.
    pub stride: [usize; 2],
    /// Zeros around the input: above, below, left, right.
    pub pad: [usize; 4],
    /// Distances between the kernel's rows and between its columns; 1 is a dense kernel.
    pub dilation: [usize; 2],
    /// Groups of neighbouring channels, each seen by as many neighbouring filters only.
    pub groups: usize,
    /// Whether channels vary fastest in memory, or slowest.
    pub channels_last: bool,
}

impl Conv {
    /// Stride 1, no border, no dilation, one group, channels first, over `[channels, height, width]`.
    pub const fn new([channels, height, width]: [usize; 3], filters: usize, kernel: [usize; 2]) -> Conv {
        Conv {
            channels,
            height,
            width,
            filters,
            kernel,
            stride: [1, 1],
            pad: [0; 4],
            dilation: [1, 1],
            groups: 1,
            channels_last: false,
        }
    }

    /// Height and width of the output: `(size + pads − dilation·(kernel − 1) − 1) / stride + 1`, rounded down.
    ///
    /// # Panics
    /// A size, a stride, a dilation or the number of groups is 0, the groups do not divide channels and filters, or the kernel is
    /// larger than the input with its border.
    pub const fn output(&self) -> [usize; 2] {
        assert!(
            self.channels != 0 && self.filters != 0 && self.groups != 0,
            "expected channels, filters and groups of at least 1"
        );
        assert!(
            self.channels.is_multiple_of(self.groups) && self.filters.is_multiple_of(self.groups),
            "expected groups that divide channels and filters"
        );
        let [top, bottom, left, right] = self.pad;
        [along(self.height + top + bottom, self, 0), along(self.width + left + right, self, 1)]
    }

    /// Numbers of one input.
    pub const fn x_len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Numbers of one output.
    pub const fn y_len(&self) -> usize {
        self.filters * self.pixels()
    }

    /// Weights of one filter, in the order channel of the group, row, column of the kernel.
    pub const fn rows(&self) -> usize {
        self.in_group() * self.kernel[0] * self.kernel[1]
    }

    /// How the weights lie in memory: a matrix with a column for each filter, whatever the groups.
    ///
    /// In standard layout that is `[filters, channels / groups, kernel rows, kernel columns]`.
    pub const fn panels(&self) -> Panels {
        Panels::new(self.rows(), self.filters)
    }

    /// Multiply-adds of one sample.
    pub const fn macs(&self) -> usize {
        self.y_len() * self.rows()
    }

    /// Numbers of scratch that each of the functions needs, whatever the batch.
    pub const fn scratch(&self) -> usize {
        // A copy with its border, in the form with the longer rows of the two.
        let (plain, phased) = (self.sheet(true).len(), self.sheet(false).len());
        let sheet = if plain > phased { plain } else { phased };
        let outputs = self.pixels() * self.out_group().next_multiple_of(LANES);
        let forward = self.rows() + sheet;
        let backward_weight = self.rows() + self.pixels() + sheet + outputs;
        let back = self.out_group() * self.kernel[0] * self.kernel[1];
        let (sheet, sums) = (self.gradient_sheet().len(), self.gradient_sums());
        let gradients = if sheet > sums { sheet } else { sums };
        let turned = back * self.in_group().next_multiple_of(LANES);
        let backward_input = back + turned + gradients;
        let most = if forward > backward_weight { forward } else { backward_weight };
        if most > backward_input { most } else { backward_input }
    }

    const fn pixels(&self) -> usize {
        let [height, width] = self.output();
        height * width
    }

    /// The gradients of the inputs for one panel of channels.
    const fn gradient_sums(&self) -> usize {
        self.height * self.width * Panels::new(1, self.in_group()).width(0)
    }

    const fn in_group(&self) -> usize {
        self.channels / self.groups
    }

    const fn out_group(&self) -> usize {
        self.filters / self.groups
    }

    /// Whether the filters of each group are panels of their own, so that a vector never holds filters of two groups.
    const fn whole_panels(&self) -> bool {
        self.groups == 1 || self.out_group().is_multiple_of(Panels::WIDTH)
    }

    const fn x_spread(&self) -> Spread {
        Spread::of(self.channels, [self.height, self.width], self.channels_last)
    }

    const fn y_spread(&self) -> Spread {
        Spread::of(self.filters, self.output(), self.channels_last)
    }

    /// The copy of a group's inputs with their border, for lanes that are columns of the weights, or places side by side.
    const fn sheet(&self, by_columns: bool) -> Sheet {
        let [top, bottom, left, right] = self.pad;
        Sheet {
            planes: self.in_group(),
            height: self.height + top + bottom,
            width: self.width + left + right,
            phases: if by_columns { 1 } else { self.stride[1] },
            planes_last: by_columns && self.channels_last,
            top,
            left,
        }
    }

    /// The copy of a group's gradients of outputs with the border that lets every input gather its gradient.
    const fn gradient_sheet(&self) -> Sheet {
        let [height, width] = self.output();
        let (top, bottom) = self.border(0, self.height, self.pad[0], height);
        let (left, right) = self.border(1, self.width, self.pad[2], width);
        Sheet {
            planes: self.out_group(),
            height: top + height + bottom,
            width: left + width + right,
            phases: 1,
            planes_last: false,
            top,
            left,
        }
    }

    /// Input i meets output `(i + pad − k·dilation) / stride` through weight k: how far that goes beyond both ends.
    const fn border(&self, axis: usize, input: usize, pad: usize, output: usize) -> (usize, usize) {
        let reach = (self.kernel[axis] - 1) * self.dilation[axis];
        let before = reach.saturating_sub(pad).div_ceil(self.stride[axis]);
        let after = ((input - 1 + pad) / self.stride[axis]).saturating_sub(output - 1);
        (before, after)
    }

    /// The samples in inputs and outputs, which must agree.
    fn batch(&self, x: &[f32], y: &[f32]) -> usize {
        let (x_len, y_len) = (self.x_len(), self.y_len());
        let batch = x.len() / x_len;
        assert!(
            x.len() == batch * x_len && y.len() == batch * y_len,
            "expected samples of {x_len} inputs and {y_len} outputs, found {} and {} numbers",
            x.len(),
            y.len()
        );
        batch
    }

    fn check(&self, w: &[f32], scratch: &[f32]) {
        self.check_weights(w);
        self.check_scratch(scratch);
    }

    fn check_weights(&self, w: &[f32]) {
        let len = self.panels().len();
        assert!(w.len() == len, "expected {len} numbers of storage, found {}", w.len());
    }

    fn check_scratch(&self, scratch: &[f32]) {
        let room = self.scratch();
        assert!(scratch.len() >= room, "expected a scratch of {room} numbers, found {}", scratch.len());
        assert!(
            self.x_len() <= u32::MAX as usize && room <= u32::MAX as usize,
            "expected offsets of 32 bits, found a scratch of {room} numbers"
        );
    }
}

/// Places of the kernel along one axis of `size`, border included.
const fn along(size: usize, c: &Conv, axis: usize) -> usize {
    let (kernel, stride, dilation) = (c.kernel[axis], c.stride[axis], c.dilation[axis]);
    assert!(kernel != 0 && stride != 0 && dilation != 0, "expected a kernel, a stride and a dilation of at least 1");
    let reach = (kernel - 1) * dilation + 1;
    assert!(reach <= size, "expected a kernel that fits into the input with its border");
    (size - reach) / stride + 1
}
