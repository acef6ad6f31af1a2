//! Pools of codes, channels last. Maxima and means keep the scale of what they see; the mean of a whole
//! image, which is much smaller than its largest number, has one of its own.

use core::ops::Range;

use super::convert::CodeScale;
use super::panels::{WIDTH, store_part};
use crate::pool::Pool;

/// The largest code of each window, channel by channel.
///
/// # Panics
/// The description is not of channels last, or slices are not as long as it says.
pub fn max_pool(pool: &Pool, x: &[u8], y: &mut [u8]) {
    for_each_window(pool, x, y, |rows, columns, y| {
        for (block, y) in y.chunks_mut(WIDTH).enumerate() {
            let mut largest = [0; WIDTH];
            for row in rows.clone() {
                for column in columns.clone() {
                    let x = &x[(row * pool.width + column) * pool.channels + block * WIDTH..];
                    match x.first_chunk::<WIDTH>() {
                        // Lanes beyond the channels hold what nobody stores.
                        Some(x) => largest.iter_mut().zip(x).for_each(|(largest, x)| *largest = (*largest).max(*x)),
                        None => largest.iter_mut().zip(x).for_each(|(largest, x)| *largest = (*largest).max(*x)),
                    }
                }
            }
            store_part(largest, y);
        }
    });
}

/// The mean of each window, channel by channel, as LiteRT takes it: of the stored signed numbers (the codes
/// less 128), ties away from zero. Beyond the border codes are `zero` where they `count`.
///
/// # Panics
/// The description is not of channels last, or slices are not as long as it says.
pub fn avg_pool(pool: &Pool, count: bool, zero: u8, x: &[u8], y: &mut [u8]) {
    let all = (pool.window[0] * pool.window[1]) as i32;
    for_each_window(pool, x, y, |rows, columns, y| {
        let seen = (rows.len() * columns.len()) as i32;
        let of = if count { all } else { seen };
        let border = (of - seen) * (i32::from(zero) - 128);
        for (block, y) in y.chunks_mut(WIDTH).enumerate() {
            let mut sums = [border; WIDTH];
            for row in rows.clone() {
                for column in columns.clone() {
                    let x = &x[(row * pool.width + column) * pool.channels + block * WIDTH..][..y.len()];
                    sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += i32::from(*x) - 128);
                }
            }
            for (sum, y) in sums.into_iter().zip(y) {
                let half = if sum > 0 { of / 2 } else { -(of / 2) };
                *y = ((sum + half) / of + 128) as u8;
            }
        }
    });
}

fn for_each_window(pool: &Pool, x: &[u8], y: &mut [u8], mut window: impl FnMut(Range<usize>, Range<usize>, &mut [u8])) {
    assert!(pool.channels_last, "expected an image whose channels come last");
    assert!(x.len() == pool.x_len() && y.len() == pool.y_len(), "expected slices as long as the pool's images");
    let width = pool.output()[1];
    for (pixel, y) in y.chunks_exact_mut(pool.channels).enumerate() {
        window(pool.sees(0, pixel / width), pool.sees(1, pixel % width), y);
    }
}

/// The mean of each of `y.len()` channels over a whole image, requantised as XNNPACK does: the sum less that
/// of the zeros, times `scale of x / (pixels · scale of y)`, rounded to the nearest, ties to even.
///
/// # Panics
/// `x` is no image of so many channels, or has 2^23 pixels or more.
pub fn mean([of, to]: [CodeScale; 2], x: &[u8], y: &mut [u8]) {
    assert!(!y.is_empty() && x.len().is_multiple_of(y.len()), "expected an image of {} channels", y.len());
    let (channels, pixels) = (y.len(), x.len() / y.len());
    assert!(pixels < 1 << 23, "expected an image whose sums fit into 32 bits");
    let scale = of.scale / (pixels as f32 * to.scale);
    for (block, y) in y.chunks_mut(WIDTH).enumerate() {
        let mut sums = [-(pixels as i32) * i32::from(of.zero); WIDTH];
        for x in x.chunks_exact(channels) {
            sums.iter_mut().zip(&x[block * WIDTH..][..y.len()]).for_each(|(sum, x)| *sum += i32::from(*x));
        }
        for (sum, y) in sums.into_iter().zip(y) {
            // The cast stops at both ends.
            *y = (libm::rintf(sum as f32 * scale) + f32::from(to.zero)) as u8;
        }
    }
}
