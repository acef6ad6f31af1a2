//! Convolutions that end with a max pool, forward and backward: the outputs that are no maximum are never
//! kept. Images and weights come in and maxima go out, or their gradients and positions come in and gradients
//! go out. Backward only maxima take part, and of those only the ones that the floor has not replaced. No
//! result depends on how a batch or the weights' storage is cut.

mod backward_bias;
mod backward_input;
mod backward_input_few_channels;
mod backward_weight;
mod backward_weight_few_channels;
mod forward;
mod forward_filter_lanes;
mod forward_window_lanes;
mod nhwc;
mod polyphase;
mod sparse_grads;
#[cfg(test)]
mod tests;
mod tiles;

pub use backward_bias::backward_bias;
pub use backward_input::backward_input;
pub use backward_weight::backward_weight;
pub use forward::forward;

use super::Conv;
use crate::pool::Pool;
use crate::sizes::{max, min, product, sum};
use backward_input_few_channels::ReceptiveField;
use backward_weight_few_channels::FewChannelsWeightGrad;
use nhwc::NhwcCopy;
use sparse_grads::SparseGrads;

/// A convolution and the max pool over its output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConvMaxPool {
    /// The convolution, which [`can_fuse_max_pool`](Conv::can_fuse_max_pool).
    pub conv: Conv,
    /// The windows, over the output of the convolution.
    pub pool: Pool,
}

/// Gradients of the maxima that [`forward`] took.
#[derive(Clone, Copy)]
pub struct MaxPoolGrad<'a> {
    /// The gradients, for each sample `pool.y_len()`.
    pub dy: &'a [f32],
    /// What `forward` wrote beside the maxima.
    pub argmax: &'a [f32],
}

/// As the position of a maximum: the floor has replaced it, and no gradient passes.
const REPLACED: u32 = u32::MAX;

/// Positions of the small windows for which there are forms of their own.
const POSITIONS: usize = 4;

impl Conv {
    /// Whether a max pool can be fused: one group, channels first, columns of the kernel side by side.
    pub const fn can_fuse_max_pool(&self) -> bool {
        self.groups == 1 && !self.channels_last && self.dilation[1] == 1
    }
}

impl ConvMaxPool {
    /// Numbers of scratch that each of the functions needs, whatever the batch.
    pub const fn scratch(&self) -> usize {
        let fused = &self.capped();
        let c = &fused.conv;
        let copy = NhwcCopy::of(c, 0, c.channels);
        let by_rows = sum([
            product([c.filters, copy.filter_len()]),
            SparseGrads::room(fused.pool.y_len(), c.filters),
            copy.len(),
        ]);
        let mut backward = by_rows;
        if let Some(few) = FewChannelsWeightGrad::of(fused) {
            let by_windows = sum([product([c.channels, c.filters, few.filter_len()]), few.scratch()]);
            backward = max(by_rows, by_windows);
        }
        if let Some(field) = ReceptiveField::of(fused) {
            backward = max(backward, field.scratch());
        }
        max(fused.forward_scratch(), backward)
    }

    /// The same, with strides no longer than what the kernel and the windows move over.
    const fn capped(&self) -> ConvMaxPool {
        let (Pool { height, width, pad: [top, bottom, left, right], stride, .. }, conv) =
            (self.pool, self.conv.capped());
        let stride = [min(stride[0], sum([height, top, bottom])), min(stride[1], sum([width, left, right]))];
        ConvMaxPool { conv, pool: Pool { stride, ..self.pool } }
    }

    /// Windows of one filter.
    const fn windows(&self) -> usize {
        let [height, width] = self.pool.output();
        height * width
    }

    /// Whether a window is 2 × 2 outputs, none of them in a border.
    const fn is_two_by_two(&self) -> bool {
        let ([top, bottom, left, right], [rows, columns]) = (self.pool.pad, self.pool.window);
        rows == 2 && columns == 2 && sum([top, bottom, left, right]) == 0
    }

    /// From one output to the next below and to the right, as `argmax` counts: in places of a channel of the
    /// input with its border. There the position of an output is where the filter's window begins.
    const fn position_strides(&self) -> [usize; 2] {
        let c = &self.conv;
        [product([c.stride[0], sum([c.width, c.pad[2], c.pad[3]])]), c.stride[1]]
    }

    /// From one pool window to the next below and to the right, in places of the input.
    const fn window_steps(&self) -> [usize; 2] {
        let (conv, pool) = (self.conv.stride, self.pool.stride);
        [product([conv[0], pool[0]]), product([conv[1], pool[1]])]
    }

    /// Where each window begins, as `argmax` counts.
    fn window_origins(&self, origins: &mut [i32]) {
        let ([down, right], stride) = (self.position_strides(), self.pool.stride);
        for (y, row) in origins.chunks_exact_mut(self.pool.output()[1]).enumerate() {
            for (x, origin) in row.iter_mut().enumerate() {
                *origin = (y * stride[0] * down + x * stride[1] * right) as i32;
            }
        }
    }

    /// Checks that the pool is over the output of a convolution that can end with one, whose sizes fit in 32
    /// bits.
    fn check(&self) {
        let (c, pool) = (&self.conv, &self.pool);
        let [height, width] = c.output();
        assert!(
            c.can_fuse_max_pool() && !pool.channels_last,
            "expected one group, channels first, and no dilation to the right"
        );
        assert!(
            [pool.channels, pool.height, pool.width] == [c.filters, height, width],
            "expected windows over [{}, {height}, {width}], found [{}, {}, {}]",
            c.filters,
            pool.channels,
            pool.height,
            pool.width
        );
        let largest = max(max(c.x_len(), c.scratch()), self.scratch());
        assert!(
            largest <= i32::MAX as usize,
            "expected offsets of 31 bits, found an image or scratch of {largest} numbers"
        );
    }

    /// Checks the samples of inputs and gradients, which must agree with each other and with the convolution.
    fn check_grad(&self, grad: &MaxPoolGrad, x_len: usize, scratch: usize) {
        self.check();
        let (per_sample, per_maxima) = (self.conv.x_len(), self.pool.y_len());
        let batch = grad.dy.len() / per_maxima;
        assert!(
            x_len == batch * per_sample && grad.dy.len() == batch * per_maxima && grad.argmax.len() == grad.dy.len(),
            "expected samples of {per_sample} inputs, {per_maxima} gradients and as many positions, found {x_len}, {} \
             and {} numbers",
            grad.dy.len(),
            grad.argmax.len()
        );
        let needed = self.scratch();
        assert!(scratch >= needed, "expected a scratch of {needed} numbers, found {scratch}");
    }
}
