//! What turns channels into other channels.

use super::Conv;

/// The filters of a convolution: weights, what is added to each channel of the output, and a lower bound of
/// it.
#[derive(Clone, Copy)]
pub struct FilterBank<'a> {
    /// The storage of [`Conv::panels`]; a column of it is a filter.
    pub w: &'a [f32],
    /// One number for each channel of the output, or nothing.
    pub bias: Option<&'a [f32]>,
    /// Outputs below it become it: 0 is a ReLU, `f32::NEG_INFINITY` changes nothing.
    pub floor: f32,
}

impl<'a> FilterBank<'a> {
    /// Filters without bias and floor.
    pub const fn new(w: &'a [f32]) -> FilterBank<'a> {
        FilterBank { w, bias: None, floor: f32::NEG_INFINITY }
    }

    /// Checks the bias of `channels` numbers, and the weights.
    pub(super) fn check(&self, c: &Conv, channels: usize) {
        c.check_weights(self.w);
        if let Some(bias) = self.bias {
            assert!(bias.len() == channels, "expected a bias of {channels} numbers, found {}", bias.len());
        }
    }
}
