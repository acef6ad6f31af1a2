//! Convolutions of each channel on its own: sixteen channels at a time, which lie side by side.

use super::conv::Int8Filters;
use super::panels::{WIDTH, store_part};
use super::requantize::Requantize;
use crate::conv::Conv;
use crate::simd::int8::{Int8Kernel, Int8Simd};
use crate::simd::{Isa, Simd};

/// How the weights of a depthwise convolution lie: for each place of the kernel one of each channel, channels
/// in whole sixteens.
#[derive(Clone, Copy, Debug)]
pub struct DepthwiseWeights {
    places: usize,
    channels: usize,
}

impl DepthwiseWeights {
    /// Those of a convolution with as many groups and filters as channels.
    ///
    /// # Panics
    /// It has not.
    pub const fn of(conv: &Conv) -> DepthwiseWeights {
        assert!(conv.groups == conv.channels && conv.filters == conv.channels, "expected a filter for each channel");
        DepthwiseWeights { places: conv.kernel[0] * conv.kernel[1], channels: conv.channels }
    }

    /// Channels in whole sixteens.
    pub const fn padded_channels(&self) -> usize {
        self.channels.next_multiple_of(WIDTH)
    }

    /// Bytes of storage.
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    pub const fn len(&self) -> usize {
        self.places * self.padded_channels()
    }

    /// Fills the storage from `[channels, places]`.
    ///
    /// # Panics
    /// `standard.len() != channels * places || storage.len() != self.len()`.
    pub fn pack(&self, standard: &[i8], storage: &mut [i8]) {
        assert!(standard.len() == self.channels * self.places && storage.len() == self.len(), "expected all weights");
        storage.fill(0);
        for (channel, weights) in standard.chunks_exact(self.places).enumerate() {
            for (place, weight) in weights.iter().enumerate() {
                storage[self.place(channel, place)] = *weight;
            }
        }
    }

    /// Where in the storage the weight of a channel and of a place of the kernel lies.
    pub const fn place(&self, channel: usize, place: usize) -> usize {
        place * self.padded_channels() + channel
    }
}

/// The convolution of each channel of one image on its own.
///
/// # Panics
/// The description is not of channels last or has not as many filters and groups as channels; slices are not
/// as long as it says.
pub fn depthwise(isa: Isa, conv: &Conv, x: &[u8], filters: Int8Filters, y: &mut [u8]) {
    let Int8Filters { w, zero, requantize } = filters;
    let weights = DepthwiseWeights::of(conv);
    assert!(conv.channels_last, "expected an image whose channels come last");
    assert!(
        x.len() == conv.x_len() && y.len() == conv.y_len() && w.len() == weights.len(),
        "expected images of {} and {} codes and {} weights, found {}, {} and {}",
        conv.x_len(),
        conv.y_len(),
        weights.len(),
        x.len(),
        y.len(),
        w.len()
    );
    requantize.check(weights.padded_channels());
    isa.run_int8(DepthwiseKernel { conv, weights, x, zero, w, requantize, y });
}

struct DepthwiseKernel<'a> {
    conv: &'a Conv,
    weights: DepthwiseWeights,
    x: &'a [u8],
    zero: u8,
    w: &'a [i8],
    requantize: Requantize<'a>,
    y: &'a mut [u8],
}

impl Int8Kernel for DepthwiseKernel<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Int8Simd>(self, s: S) {
        let conv = self.conv;
        let (channels, width) = (conv.channels, conv.output()[1]);
        for (pixel, y) in self.y.chunks_exact_mut(channels).enumerate() {
            let at = [pixel / width * conv.stride[0], pixel % width * conv.stride[1]];
            for (panel, y) in y.chunks_mut(WIDTH).enumerate() {
                let sees = Place { at, first: panel * WIDTH, count: y.len() };
                let sums = sums(s, conv, self.weights, (self.x, self.zero, self.w), sees);
                store_part(self.requantize.panel(panel).codes(s, sums), y);
            }
        }
    }
}

/// Where the kernel stands, its border counted, and which channels are asked for.
struct Place {
    at: [usize; 2],
    first: usize,
    count: usize,
}

#[inline(always)]
fn sums<S: Int8Simd>(
    s: S,
    conv: &Conv,
    weights: DepthwiseWeights,
    (x, zero, w): (&[u8], u8, &[i8]),
    place: Place,
) -> <S::Base as Simd>::I {
    let b = s.base();
    let border = b.splat_i(i32::from(zero));
    let (mut sums, mut at) = (b.splat_i(0), place.first);
    for k in 0..conv.kernel[0] {
        let row = (place.at[0] + k * conv.dilation[0]).wrapping_sub(conv.pad[0]);
        for l in 0..conv.kernel[1] {
            let column = (place.at[1] + l * conv.dilation[1]).wrapping_sub(conv.pad[2]);
            let w = match w[at..].first_chunk::<WIDTH>() {
                Some(w) => s.widen_signed(w),
                None => unreachable!("weights are there in whole sixteens"),
            };
            // What would be below 0 is very large.
            let x = if row < conv.height && column < conv.width {
                let x = &x[(row * conv.width + column) * conv.channels + place.first..];
                match x.first_chunk::<WIDTH>() {
                    // What it reads of the next pixel goes into sums that nobody stores.
                    Some(x) => s.widen(x),
                    None => {
                        let mut last = [0; WIDTH];
                        last[..place.count].copy_from_slice(&x[..place.count]);
                        s.widen(&last)
                    }
                }
            } else {
                border
            };
            sums = b.add_i(sums, b.mul_i(x, w));
            at += weights.padded_channels();
        }
    }
    sums
}
