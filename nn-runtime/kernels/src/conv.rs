//! Convolutions of images, forward and backward, and by exchanging the two transposed convolutions. Images
//! come in one after the other, weights as [`Panels`] in which a column is a filter; images or gradients go
//! out. Images are never unrolled into columns of windows: the loops walk tables of offsets into the image,
//! or a copy of it with its border. Nothing allocates, and no result depends on how a batch or range is cut.

// Every form below computes the same sums; sizes alone decide which one runs, in the functions named.
//
// `⌈n⌉` is n rounded up to whole vectors of 16. C, F: channels and filters of a group; K: weights of a
// filter; k: rows or columns of the kernel; W: width of the output; w: width of the input / horizontal
// stride, rounded up; Q: windows of the pool. "Lanes" says what the 16 numbers of a vector are.
//
// pass             lanes              chosen when                                        file
// ---------------  -----------------  -------------------------------------------------  --------------------
// forward          filters            groups fill panels, and (K⌈F⌉ + aF)·W <            direct.rs
//                                     (K⌈W⌉ + bW)·F, with a, b = 2, 16 if channels are
//                                     last, else 16, 4: `Conv::filter_lanes`
//                  output positions   else                                               direct.rs
// backward_input,  channels           4⌈C⌉·(F + 4)·w < 5⌈w⌉·C·F: `Conv::scatters`        scatter.rs
// transposed       input positions    else: a convolution for each residue of the        backward_input.rs
//                                     strides
// backward_weight  filters            groups fill panels, and channels are last or       backward_weight.rs
//                                     filters more than 4: `Conv::weight_by_filters`
//                  output positions   else                                               backward_weight.rs
//
// With a max pool (fused_max_pool/), of which "small" means windows of 2 × 2 without a border:
//
// forward          windows            small, horizontal stride 1, and ⌈Q⌉·F·K·a <=       forward_window_
//                                     Q⌈F⌉·(K + 4)·16, with a = 14 if there are 32       lanes.rs
//                                     registers, else 24: `ConvMaxPool::forward_form`
//                  filters            else if small, horizontal stride 1                 forward_filter_
//                                                                                        lanes.rs
//                  as without a pool  else: all outputs first, then their maxima         forward.rs
// backward_input   receptive fields   small, a field fits in 7 vectors, of which all     backward_input_
//                                     together are at most 2k·⌈kC⌉ / 16:                 few_channels.rs
//                                     `ReceptiveField::of`
//                  rows of filters    else                                               backward_input.rs
// backward_weight  windows            small, kernel 3 × 3 or 5 × 5 and dense, stride 1,  backward_weight_
//                                     and 2C·⌈Q⌉·k² <= Q·k·⌈kC⌉:                         few_channels.rs
//                                     `FewChannelsWeightGrad::of`
//                  rows of filters    else                                               backward_weight.rs

mod backward_bias;
mod backward_input;
mod backward_weight;
mod causal_step;
mod direct;
mod filter_bank;
mod forward;
pub mod fused_max_pool;
#[cfg(test)]
mod long_inputs;
mod offsets;
mod padded;
mod scatter;
#[cfg(test)]
pub(crate) mod tests;

use core::ops::Range;

pub use backward_bias::backward_bias;
pub use backward_input::{backward_input, transposed};
pub use backward_weight::backward_weight;
pub use causal_step::CausalStep;
pub use filter_bank::FilterBank;
pub use forward::forward;

use super::matrix::Panels;
use super::simd::{Isa, LANES};
use super::sizes::{max, min, positions, product, round_up, sum};
use padded::{PaddedImage, Strides};

/// What a convolution is: sizes of one sample, and how the kernel moves over it.
///
/// An image is `[channels, height, width]`, or with `channels_last` `[height, width, channels]`; the output
/// has the same order, with the filters as channels. A sequence `[steps, features]` is an image with
/// `channels_last`, a height of 1, and the steps as its width.
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

/// A function as [`backward_input`].
pub type ConvInputGrad = fn(Isa, Conv, &[f32], &[f32], &mut [f32], &mut [f32]);

/// A function as [`backward_weight`].
pub type ConvWeightGrad = fn(Isa, Conv, &[f32], &[f32], Range<usize>, &mut [f32], &mut [f32]);

/// A function as [`backward_bias`].
pub type ConvBiasGrad = fn(Isa, Conv, &[f32], Range<usize>, &mut [f32]);

/// The backward passes of a convolution as functions: a program that knows its numbers when it is compiled
/// has the forms that these numbers ask for, and no other.
#[derive(Clone, Copy, Debug)]
pub struct ConvBackward {
    /// As [`backward_input`].
    pub input: ConvInputGrad,
    /// As [`backward_weight`].
    pub weight: ConvWeightGrad,
    /// As [`backward_bias`].
    pub bias: ConvBiasGrad,
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

    /// Height and width of the output: `(size + pads − dilation·(kernel − 1) − 1) / stride + 1`, rounded
    /// down.
    ///
    /// # Panics
    /// A size, a stride, a dilation or the number of groups is 0, the groups do not divide channels and
    /// filters, or the kernel is larger than the input with its border.
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
        [
            self.positions_along(0, sum([self.height, top, bottom])),
            self.positions_along(1, sum([self.width, left, right])),
        ]
    }

    /// Positions of the kernel along one axis of `size`, border included.
    const fn positions_along(&self, axis: usize, size: usize) -> usize {
        let (kernel, stride, dilation) = (self.kernel[axis], self.stride[axis], self.dilation[axis]);
        assert!(
            kernel != 0 && stride != 0 && dilation != 0,
            "expected a kernel, a stride and a dilation of at least 1"
        );
        let reach = sum([product([kernel - 1, dilation]), 1]);
        assert!(reach <= size, "expected a kernel that fits into the input with its border");
        positions(size, reach, stride)
    }

    /// Numbers of one input; of this and all that follow `usize::MAX` where it does not fit.
    pub const fn x_len(&self) -> usize {
        product([self.channels, self.height, self.width])
    }

    /// Numbers of one output.
    pub const fn y_len(&self) -> usize {
        product([self.filters, self.pixels()])
    }

    /// Weights of one filter, in the order channel of the group, row, column of the kernel.
    pub const fn rows(&self) -> usize {
        product([self.in_group(), self.kernel[0], self.kernel[1]])
    }

    /// How the weights lie in memory: a matrix with a column for each filter, whatever the groups.
    ///
    /// In standard layout that is `[filters, channels / groups, kernel rows, kernel columns]`.
    pub const fn panels(&self) -> Panels {
        Panels::new(self.rows(), self.filters)
    }

    /// Multiply-adds of one sample.
    pub const fn macs(&self) -> usize {
        product([self.y_len(), self.rows()])
    }

    /// Numbers of scratch that each of the functions needs, whatever the batch.
    pub const fn scratch(&self) -> usize {
        let c = &self.capped();
        // A copy with its border, in the form with the longer rows of the two.
        let padded = max(c.padded_input(true).len(), c.padded_input(false).len());
        let outputs = product([c.pixels(), round_up(c.out_group(), LANES)]);
        let forward = sum([c.rows(), padded]);
        let backward_weight = sum([c.rows(), c.pixels(), padded, outputs]);
        let taps = product([c.out_group(), c.kernel[0], c.kernel[1]]);
        let gradients = max(c.padded_gradient().len(), c.gradient_sums());
        let transposed_weights = product([taps, round_up(c.in_group(), LANES)]);
        let backward_input = sum([taps, transposed_weights, gradients]);
        max(max(forward, backward_weight), backward_input)
    }

    /// The backward passes for these numbers.
    pub const fn backward(&self) -> ConvBackward {
        ConvBackward {
            input: match self.scatters() {
                true => backward_input::backward_input_by::<true>,
                false => backward_input::backward_input_by::<false>,
            },
            weight: match self.weight_by_filters() {
                true => backward_weight::backward_weight_by::<true>,
                false => backward_weight::backward_weight_by::<false>,
            },
            bias: match self.channels_last {
                true => backward_bias::backward_bias_by::<true>,
                false => backward_bias::backward_bias_by::<false>,
            },
        }
    }

    /// The same convolution, with strides no longer than the input with its border: with longer ones the
    /// kernel stands in the same one position.
    const fn capped(&self) -> Conv {
        let [top, bottom, left, right] = self.pad;
        let (height, width) = (sum([self.height, top, bottom]), sum([self.width, left, right]));
        Conv { stride: [min(self.stride[0], height), min(self.stride[1], width)], ..*self }
    }

    const fn pixels(&self) -> usize {
        let [height, width] = self.output();
        product([height, width])
    }

    /// The gradients of the inputs for one panel of channels.
    const fn gradient_sums(&self) -> usize {
        product([self.height, self.width, Panels::new(1, self.in_group()).width(0)])
    }

    const fn in_group(&self) -> usize {
        self.channels / self.groups
    }

    const fn out_group(&self) -> usize {
        self.filters / self.groups
    }

    /// Whether the filters of each group are panels of their own, so that a vector never holds filters of two
    /// groups.
    const fn whole_panels(&self) -> bool {
        self.groups == 1 || self.out_group().is_multiple_of(Panels::WIDTH)
    }

    const fn x_strides(&self) -> Strides {
        Strides::of(self.channels, [self.height, self.width], self.channels_last)
    }

    const fn y_strides(&self) -> Strides {
        Strides::of(self.filters, self.output(), self.channels_last)
    }

    /// The copy of a group's inputs with their border, for lanes that are filters, or neighbouring positions.
    const fn padded_input(&self, filter_lanes: bool) -> PaddedImage {
        let [top, bottom, left, right] = self.pad;
        PaddedImage {
            planes: self.in_group(),
            height: sum([self.height, top, bottom]),
            width: sum([self.width, left, right]),
            phases: if filter_lanes { 1 } else { self.stride[1] },
            planes_last: filter_lanes && self.channels_last,
            top,
            left,
        }
    }

    /// The copy of a group's gradients of outputs with the border that lets every input gather its gradient.
    const fn padded_gradient(&self) -> PaddedImage {
        let [height, width] = self.output();
        let (top, bottom) = self.gradient_border(0, self.height, self.pad[0], height);
        let (left, right) = self.gradient_border(1, self.width, self.pad[2], width);
        PaddedImage {
            planes: self.out_group(),
            height: sum([top, height, bottom]),
            width: sum([left, width, right]),
            phases: 1,
            planes_last: false,
            top,
            left,
        }
    }

    /// Input i meets output `(i + pad − k·dilation) / stride` through weight k: how far that goes beyond both
    /// ends.
    const fn gradient_border(&self, axis: usize, input: usize, pad: usize, output: usize) -> (usize, usize) {
        let reach = (self.kernel[axis] - 1) * self.dilation[axis];
        let before = reach.saturating_sub(pad).div_ceil(self.stride[axis]);
        let after = (sum([input, pad]).saturating_sub(1) / self.stride[axis]).saturating_sub(output - 1);
        (before, after)
    }

    /// The samples in inputs and outputs, which must agree.
    fn batch(&self, x: &[f32], y: &[f32]) -> usize {
        let (x_len, y_len) = (self.x_len(), self.y_len());
        assert!(x_len != 0, "expected an input of at least one row and column");
        let batch = x.len() / x_len;
        assert!(
            x.len() == batch * x_len && y.len() == product([batch, y_len]),
            "expected samples of {x_len} inputs and {y_len} outputs, found {} and {} numbers",
            x.len(),
            y.len()
        );
        batch
    }

    fn check_weights(&self, w: &[f32]) {
        let len = self.weights_len();
        assert!(w.len() == len, "expected {len} numbers of storage, found {}", w.len());
    }

    /// The length of [`panels`](Conv::panels).
    pub(crate) const fn weights_len(&self) -> usize {
        product([self.rows(), round_up(self.filters, LANES)])
    }

    fn check_scratch(&self, scratch: &[f32]) {
        let needed = self.scratch();
        assert!(scratch.len() >= needed, "expected a scratch of {needed} numbers, found {}", scratch.len());
        assert!(
            self.x_len() <= u32::MAX as usize && needed <= u32::MAX as usize,
            "expected offsets of 32 bits, found a scratch of {needed} numbers"
        );
    }

    /// Whether lanes are filters in gradients of weights (see the table in `conv.rs`). For very few filters
    /// most lanes would be idle; but neighbouring positions mostly lie across two cache lines.
    const fn weight_by_filters(&self) -> bool {
        self.whole_panels() && (self.channels_last || self.filters > 4)
    }

    /// Checks the part of the storage that gradients are asked for.
    fn check_range(&self, range: &Range<usize>, dw: &[f32]) {
        let len = self.weights_len();
        let is_cut = |at: usize| at.is_multiple_of(Panels::SPLIT_ALIGN) || at == len;
        assert!(
            range.start <= range.end && range.end <= len && is_cut(range.start) && is_cut(range.end),
            "expected a range of 0..{len} cut at multiples of {}, found {range:?}",
            Panels::SPLIT_ALIGN
        );
        assert!(dw.len() == range.len(), "expected {} numbers for {range:?}, found {}", range.len(), dw.len());
    }
}
