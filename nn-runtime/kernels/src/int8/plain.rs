//! The same codes by loops over single numbers: code that is small before fast, for microcontrollers. Weights
//! lie in their standard order, `[filters, rows, columns, channels of the group]`, nothing is copied, and no
//! line panics: what does not fit together is left undone.

use super::add::Addition;
use super::conv::Int8Filters;
use super::convert::CodeScale;
use crate::conv::Conv;
use crate::pool::Pool;

/// What makes the sum of a float and it a whole number in its last bits, ties to even: 1.5 · 2^23.
const WHOLE: f32 = 12_582_912.0;

/// The code of a number in units of the output's scale, as all instruction sets make it: NaN is the least
/// code. Bounds are whole, so that it is the same before rounding as after.
#[inline(always)]
fn code(steps: f32, zero: u8, [least, most]: [u8; 2]) -> u8 {
    let shift = f32::from(zero);
    let (least, most) = (f32::from(least) - shift, f32::from(most) - shift);
    let steps = if steps > least { steps } else { least };
    let steps = if steps < most { steps } else { most };
    let whole = (steps + WHOLE).to_bits().wrapping_sub(WHOLE.to_bits());
    whole.wrapping_add(u32::from(zero)) as u8
}

/// Sum of products.
#[inline(always)]
fn dot(x: &[u8], w: &[i8]) -> i32 {
    let product = |x: u8, w: i8| i32::from(x) * i32::from(w);
    let ((x, x_last), (w, w_last)) = (x.as_chunks::<4>(), w.as_chunks::<4>());
    let last = x_last.iter().zip(w_last).fold(0i32, |sum, (x, w)| sum.wrapping_add(product(*x, *w)));
    x.iter().zip(w).fold(last, |sum, ([x0, x1, x2, x3], [w0, w1, w2, w3])| {
        let sum = sum.wrapping_add(product(*x0, *w0)).wrapping_add(product(*x1, *w1));
        sum.wrapping_add(product(*x2, *w2)).wrapping_add(product(*x3, *w3))
    })
}

/// Any convolution of one image, of a depthwise one and of a single pixel too, without scratch: as
/// [`conv`](super::conv()) and [`depthwise`](super::depthwise()), with weights, biases and scales in the
/// order of the filters, and no more of them than there are.
pub fn plain_conv(conv: &Conv, x: &[u8], filters: Int8Filters, y: &mut [u8]) {
    let Int8Filters { w, zero, requantize } = filters;
    let (groups, places) = (conv.groups.max(1), conv.kernel[0] * conv.kernel[1]);
    let (channels, each) = (conv.channels / groups, conv.filters / groups);
    let reach =
        (conv.width + conv.pad[2] + conv.pad[3]).wrapping_sub((conv.kernel[1].wrapping_sub(1)) * conv.dilation[1]);
    // Where the kernel stands, its border counted.
    let mut at = [0; 2];
    for y in y.chunks_exact_mut(conv.filters.max(1)) {
        let weights = w.chunks_exact((places * channels).max(1));
        let (mut first, mut left) = (0, each);
        for (((y, w), bias), scale) in y.iter_mut().zip(weights).zip(requantize.bias).zip(requantize.scale) {
            let sum = bias.wrapping_add(seen(conv, (x, zero), w, at, [first, channels]));
            *y = code(sum as f32 * scale, requantize.zero, requantize.bounds);
            left -= 1;
            if left == 0 {
                (first, left) = (first + channels, each);
            }
        }
        at[1] += conv.stride[1];
        if at[1] >= reach {
            at = [at[0] + conv.stride[0], 0];
        }
    }
}

/// The sum of what one filter sees of the channels of its group, from `first` on.
#[inline(always)]
fn seen(conv: &Conv, (x, zero): (&[u8], u8), w: &[i8], at: [usize; 2], [first, channels]: [usize; 2]) -> i32 {
    let mut sum = 0i32;
    let (rows, columns) = (conv.kernel[0], conv.kernel[1]);
    let dense = conv.groups == 1 && conv.dilation[1] == 1;
    let left = at[1].wrapping_sub(conv.pad[2]);
    for (k, w) in (0..rows).zip(w.chunks_exact((columns * channels).max(1))) {
        // What would be below 0 is very large.
        let row = (at[0] + k * conv.dilation[0]).wrapping_sub(conv.pad[0]);
        let place = |column: usize| (row * conv.width + column) * conv.channels + first;
        let inside = row < conv.height;
        if dense && inside && left < conv.width && left + columns <= conv.width {
            let from = place(left);
            sum = sum.wrapping_add(dot(x.get(from..from + w.len()).unwrap_or_default(), w));
            continue;
        }
        for (l, w) in w.chunks_exact(channels.max(1)).enumerate() {
            let column = (at[1] + l * conv.dilation[1]).wrapping_sub(conv.pad[2]);
            sum = sum.wrapping_add(if inside && column < conv.width {
                let from = place(column);
                dot(x.get(from..from + w.len()).unwrap_or_default(), w)
            } else {
                i32::from(zero) * w.iter().map(|w| i32::from(*w)).sum::<i32>()
            });
        }
    }
    sum
}

/// The codes of numbers, as [`quantize`](super::quantize()).
pub fn plain_quantize(to: CodeScale, channels: usize, x: &[f32], y: &mut [u8]) {
    let per = 1.0 / to.scale;
    let pixels = x.len() / channels.max(1);
    for (channel, x) in x.chunks_exact(pixels.max(1)).enumerate() {
        let y = y.iter_mut().skip(channel).step_by(channels.max(1));
        for (x, y) in x.iter().zip(y) {
            *y = code(x * per, to.zero, [0, 255]);
        }
    }
}

/// The numbers of codes, as [`dequantize`](super::dequantize()).
pub fn plain_dequantize(of: CodeScale, channels: usize, x: &[u8], y: &mut [f32]) {
    let pixels = x.len() / channels.max(1);
    for (channel, y) in y.chunks_exact_mut(pixels.max(1)).enumerate() {
        let x = x.iter().skip(channel).step_by(channels.max(1));
        for (x, y) in x.zip(y) {
            *y = of.number(*x);
        }
    }
}

/// The mean of each channel over a whole image, as [`mean`](super::mean()).
pub fn plain_mean([of, to]: [CodeScale; 2], x: &[u8], y: &mut [u8]) {
    let channels = y.len().max(1);
    let pixels = x.len() / channels;
    let scale = of.scale / (pixels as f32 * to.scale);
    for (channel, y) in y.iter_mut().enumerate() {
        let codes = x.iter().skip(channel).step_by(channels);
        let sum = codes.fold(-(pixels as i32) * i32::from(of.zero), |sum, x| sum.wrapping_add(i32::from(*x)));
        *y = code(sum as f32 * scale, to.zero, [0, 255]);
    }
}

/// Probabilities of rows, as [`softmax`](super::softmax()).
pub fn plain_softmax(table: &[u32; 256], width: usize, x: &[u8], y: &mut [u8]) {
    for (x, y) in x.chunks_exact(width.max(1)).zip(y.chunks_exact_mut(width.max(1))) {
        let largest = x.iter().fold(0, |largest: u8, x| largest.max(*x));
        let exponential = |x: &u8| u64::from(table[usize::from(largest.wrapping_sub(*x))]);
        let sum: u64 = x.iter().map(exponential).sum();
        for (x, y) in x.iter().zip(y) {
            // The quotient, a bit at a time: a division of 64 bits is long.
            let dividend = 512 * exponential(x) + sum;
            *y = (0..8).rev().fold(0, |code: u8, bit| {
                let more = code | 1 << bit;
                if u64::from(more) * 2 * sum <= dividend { more } else { code }
            });
        }
    }
}

/// Hands what each window of a pool sees to `of`: for every channel the codes, and how many there are.
#[inline(always)]
fn windows(pool: &Pool, x: &[u8], y: &mut [u8], of: impl Fn(i32, &mut dyn Iterator<Item = u8>) -> u8) {
    let last = (pool.width + pool.pad[2] + pool.pad[3]).wrapping_sub(pool.window[1]);
    let mut at = [0; 2];
    for y in y.chunks_exact_mut(pool.channels.max(1)) {
        let (rows, columns) = (pool.sees(0, at[0]), pool.sees(1, at[1]));
        let count = (rows.len() * columns.len()) as i32;
        for (channel, y) in y.iter_mut().enumerate() {
            let mut codes = rows.clone().flat_map(|row| {
                let line = columns.clone();
                line.filter_map(move |column| x.get((row * pool.width + column) * pool.channels + channel).copied())
            });
            *y = of(count, &mut codes);
        }
        at[1] += 1;
        if at[1] * pool.stride[1] > last {
            at = [at[0] + 1, 0];
        }
    }
}

/// The largest code of each window, as [`max_pool`](super::max_pool()).
pub fn plain_max_pool(pool: &Pool, x: &[u8], y: &mut [u8]) {
    windows(pool, x, y, |_, codes| codes.fold(0, u8::max));
}

/// The mean of each window, as [`avg_pool`](super::avg_pool()).
pub fn plain_avg_pool(pool: &Pool, count: bool, zero: u8, x: &[u8], y: &mut [u8]) {
    windows(pool, x, y, |seen, codes| {
        let of = if count { (pool.window[0] * pool.window[1]) as i32 } else { seen };
        let border = (of - seen) * (i32::from(zero) - 128);
        let sum = codes.fold(border, |sum, x| sum + i32::from(x) - 128);
        let half = if sum > 0 { of / 2 } else { -(of / 2) };
        ((sum + half).checked_div(of).unwrap_or(0) + 128) as u8
    });
}

/// Sums of values, as [`add`](super::add()).
pub fn plain_add(addition: &Addition, x: &[&[u8]], y: &mut [u8]) {
    for (i, y) in y.iter_mut().enumerate() {
        let codes = x.iter().map(|x| x.get(i).copied().unwrap_or_default());
        let products = codes.zip(addition.multipliers).map(|(x, multiplier)| multiplier.wrapping_mul(x.into()));
        *y = addition.code(products.fold(addition.bias, i32::wrapping_add));
    }
}
