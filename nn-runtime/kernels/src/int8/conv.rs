//! Convolutions of bytes: what the kernel sees of a few pixels is laid out as rows, which a product takes.
//! Images are channels last, and so are the weights: `[filters, rows, columns, channels of the group]`.

use super::panels::Int8Panels;
use super::product::{Int8Product, product};
use super::requantize::Requantize;
use crate::conv::Conv;
use crate::simd::Isa;
use crate::simd::int8::{Int8Kernel, Int8Simd};

/// Pixels laid out at a time.
const PIXELS: usize = 8;
/// Few bytes are copied as so many: those too many are overwritten by what comes next.
const SPILL: usize = 16;

/// Whether a pixel of the output sees one of the input, as it lies there: a product of the image's pixels.
pub const fn is_pointwise(conv: &Conv) -> bool {
    conv.kernel[0] * conv.kernel[1] == 1
        && conv.stride[0] * conv.stride[1] == 1
        && conv.pad[0] + conv.pad[1] + conv.pad[2] + conv.pad[3] == 0
        && conv.groups == 1
}

/// Bytes of scratch that [`conv`] needs.
pub const fn conv_scratch(conv: &Conv) -> usize {
    if is_pointwise(conv) { 0 } else { PIXELS * conv.rows() + SPILL }
}

/// The filters of a convolution, and what is beyond the border.
#[derive(Clone, Copy, Debug)]
pub struct Int8Filters<'a> {
    /// Weights: of [`conv`] those of the groups one after the other, each as [`Int8Panels::pack`] lays them;
    /// of [`depthwise`](super::depthwise) as [`DepthwiseWeights::pack`](super::DepthwiseWeights::pack) does.
    pub w: &'a [i8],
    /// The code of zero in the input.
    pub zero: u8,
    /// What becomes of the sums; of groups one after the other, each in whole panels.
    pub requantize: Requantize<'a>,
}

/// The convolution of one image.
///
/// # Panics
/// The description is not of channels last; slices are not as long as it says, or `scratch` is shorter than
/// [`conv_scratch`].
pub fn conv(isa: Isa, conv: &Conv, x: &[u8], filters: Int8Filters, y: &mut [u8], scratch: &mut [u8]) {
    let Int8Filters { w, requantize, .. } = filters;
    assert!(conv.channels_last, "expected an image whose channels come last");
    assert!(
        x.len() == conv.x_len() && y.len() == conv.y_len(),
        "expected an image of {} codes and one of {}, found {} and {}",
        conv.x_len(),
        conv.y_len(),
        x.len(),
        y.len()
    );
    let (depth, outputs) = (conv.rows(), conv.filters / conv.groups);
    let panels = Int8Panels::new(depth, outputs);
    let [height, width] = conv.output();
    let pixels = height * width;
    if is_pointwise(conv) {
        let (rows, x_stride, y_stride) = (pixels, depth, outputs);
        return product(isa, Int8Product { panels, rows, x, x_stride, w, requantize, y, y_stride });
    }
    requantize.check(conv.groups * panels.padded_outputs());
    assert!(
        w.len() == conv.groups * panels.len() && scratch.len() >= PIXELS * depth + SPILL,
        "expected {} bytes of weights and {} of scratch, found {} and {}",
        conv.groups * panels.len(),
        conv_scratch(conv),
        w.len(),
        scratch.len()
    );
    isa.run_int8(ConvKernel { conv, panels, x, filters, y, scratch });
}

struct ConvKernel<'a> {
    conv: &'a Conv,
    panels: Int8Panels,
    x: &'a [u8],
    filters: Int8Filters<'a>,
    y: &'a mut [u8],
    scratch: &'a mut [u8],
}

impl Int8Kernel for ConvKernel<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Int8Simd>(self, s: S) {
        let ConvKernel { conv, panels, x, filters: Int8Filters { w, zero, requantize }, y, scratch } = self;
        let (depth, outputs, padded) = (panels.depth(), panels.outputs(), panels.padded_outputs());
        let [height, width] = conv.output();
        let pixels = height * width;
        for group in 0..conv.groups {
            let w = &w[group * panels.len()..][..panels.len()];
            let (from, to) = (group * padded, (group + 1) * padded);
            let requantize =
                Requantize { bias: &requantize.bias[from..to], scale: &requantize.scale[from..to], ..requantize };
            let mut first = 0;
            while first < pixels {
                let rows = PIXELS.min(pixels - first);
                for i in 0..rows {
                    let at = first + i;
                    lay_out(conv, x, zero, group, [at / width, at % width], &mut scratch[i * depth..]);
                }
                let y = &mut y[first * conv.filters + group * outputs..];
                let (x, x_stride, y_stride) = (&*scratch, depth, conv.filters);
                Int8Product { panels, rows, x, x_stride, w, requantize, y, y_stride }.run(s);
                first += rows;
            }
        }
    }
}

/// What the kernel sees from one pixel of the output, at the beginning of `patch`.
#[inline(always)]
fn lay_out(conv: &Conv, x: &[u8], zero: u8, group: usize, [row, column]: [usize; 2], patch: &mut [u8]) {
    let channels = conv.channels / conv.groups;
    let [rows, columns] = conv.kernel;
    let dense = conv.groups == 1 && conv.dilation[1] == 1;
    let left = (column * conv.stride[1]) as isize - conv.pad[2] as isize;
    for k in 0..rows {
        let to = &mut patch[k * columns * channels..];
        let at = (row * conv.stride[0] + k * conv.dilation[0]) as isize - conv.pad[0] as isize;
        if at < 0 || at >= conv.height as isize {
            to[..columns * channels].fill(zero);
            continue;
        }
        let line = &x[at as usize * conv.width * conv.channels..];
        if dense && left >= 0 && left as usize + columns <= conv.width {
            copy(&line[left as usize * channels..], columns * channels, to);
            continue;
        }
        for l in 0..columns {
            let to = &mut to[l * channels..];
            let at = left + (l * conv.dilation[1]) as isize;
            match at >= 0 && at < conv.width as isize {
                true => copy(&line[at as usize * conv.channels + group * channels..], channels, to),
                false => to[..channels].fill(zero),
            }
        }
    }
}

/// Copies bytes, few of them by one move of more than they are, where both have as many.
#[inline(always)]
fn copy(from: &[u8], count: usize, to: &mut [u8]) {
    match (from.first_chunk::<SPILL>(), to.first_chunk_mut::<SPILL>()) {
        (Some(from), Some(to)) if count <= SPILL => *to = *from,
        _ => to[..count].copy_from_slice(&from[..count]),
    }
}
