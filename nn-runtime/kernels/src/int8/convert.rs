//! From numbers to codes and back.

use super::panels::{WIDTH, store_part};
use super::requantize::codes;
use crate::simd::int8::{Int8Kernel, Int8Simd};
use crate::simd::{Isa, Simd};

/// What codes stand for: `scale · (code − zero)`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CodeScale {
    /// From one code to the next, above 0.
    pub scale: f32,
    /// The code of 0, 128 more than LiteRT's zero point.
    pub zero: u8,
}

impl CodeScale {
    /// The number of a code.
    #[inline(always)]
    pub fn number(&self, code: u8) -> f32 {
        self.scale * (f32::from(code) - f32::from(self.zero))
    }

    /// The code nearest to a number, ties to even; the first or the last where none is near, and the first of
    /// NaN.
    pub fn code(&self, number: f32) -> u8 {
        let steps = libm::rintf(number / self.scale) + f32::from(self.zero);
        // The cast stops at both ends, and makes 0 of NaN.
        steps as u8
    }
}

/// The codes of numbers: `x · (1 / scale)` rounded to the nearest, ties to even, plus the code of zero; NaN
/// is the first code. Of an image `[channels, height, width]` they are laid channels last.
///
/// # Panics
/// `x.len() != y.len()`, or they are no images of so many channels.
pub fn quantize(isa: Isa, to: CodeScale, channels: usize, x: &[f32], y: &mut [u8]) {
    assert!(x.len() == y.len(), "expected as many numbers as codes, found {} and {}", x.len(), y.len());
    assert!(channels > 0 && x.len().is_multiple_of(channels), "expected images of {channels} channels");
    isa.run_int8(QuantizeKernel { to, channels, x, y });
}

struct QuantizeKernel<'a> {
    to: CodeScale,
    channels: usize,
    x: &'a [f32],
    y: &'a mut [u8],
}

impl Int8Kernel for QuantizeKernel<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Int8Simd>(self, s: S) {
        let QuantizeKernel { to, channels, x, y } = self;
        let (b, per) = (s.base(), 1.0 / to.scale);
        let per = b.splat(per);
        if channels == 1 {
            let ((x, x_last), (y, y_last)) = (x.as_chunks::<WIDTH>(), y.as_chunks_mut::<WIDTH>());
            for (x, y) in x.iter().zip(y) {
                *y = codes(s, b.mul(b.load(x), per), to.zero, [0, 255]);
            }
            return store_part(codes(s, b.mul(b.load_part(x_last), per), to.zero, [0, 255]), y_last);
        }
        let pixels = x.len() / channels;
        for channel in 0..channels {
            let x = &x[channel * pixels..][..pixels];
            for (i, x) in x.chunks(WIDTH).enumerate() {
                let codes = codes(s, b.mul(b.load_part(x), per), to.zero, [0, 255]);
                for (k, code) in codes[..x.len()].iter().enumerate() {
                    y[(i * WIDTH + k) * channels + channel] = *code;
                }
            }
        }
    }
}

/// The numbers of codes; of an image whose channels come last they are laid `[channels, height, width]`.
///
/// # Panics
/// `x.len() != y.len()`, or they are no images of so many channels.
pub fn dequantize(of: CodeScale, channels: usize, x: &[u8], y: &mut [f32]) {
    assert!(x.len() == y.len(), "expected as many codes as numbers, found {} and {}", x.len(), y.len());
    assert!(channels > 0 && x.len().is_multiple_of(channels), "expected images of {channels} channels");
    let pixels = x.len() / channels;
    for (pixel, x) in x.chunks_exact(channels).enumerate() {
        for (channel, code) in x.iter().enumerate() {
            y[channel * pixels + pixel] = of.number(*code);
        }
    }
}
