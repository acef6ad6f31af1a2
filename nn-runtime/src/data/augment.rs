//! Changes of samples while a network learns, for [`Fit::augment`](crate::train::Fit::augment): what stays
//! true of an image that is moved, turned, mirrored, noisy or partly hidden.
//!
//! Each function gives a change of one sample, `[channels, height, width]`, that draws what it does from the
//! random numbers it is given. What comes in from outside of an image is 0.
//!
//! | | torchvision | Keras |
//! |---|---|---|
//! | [`shift`] | `RandomAffine(0, translate=…)` | `RandomTranslation` |
//! | [`rotate`] | `RandomRotation` | `RandomRotation` |
//! | [`flip`], [`flip_vertical`] | `RandomHorizontalFlip`, `RandomVerticalFlip` | `RandomFlip` |
//! | [`noise`] | `GaussianNoise` | `GaussianNoise` |
//! | [`cut_out`] | `RandomErasing` | `RandomErasing` |
//!
//! # Panics
//! Those of images, if a sample is not of the shape they were given.

use crate::random::Random;
use std::vec::Vec;

/// Moves the image by whole pixels: up to `most` to each side, and up to `most` up or down, each distance as
/// likely.
///
/// ```
/// use nn_runtime::data::{Random, augment};
///
/// let mut pixels = [1.0; 16];
/// augment::shift([1, 4, 4], 1)(&mut pixels, &mut Random::keyed(0, &[]));
/// let ink: f32 = pixels.iter().sum();
/// assert!([16.0, 12.0, 9.0].contains(&ink)); // what is moved out is gone
/// ```
pub fn shift(shape: [usize; 3], most: usize) -> impl Fn(&mut [f32], &mut Random) + Sync + Clone {
    move |x, random| {
        let [dy, dx] = [(); 2].map(|()| random.below(2 * most + 1) as isize - most as isize);
        each_channel("shift", shape, x, |from, [i, j]| pixel(from, shape, i as isize - dy, j as isize - dx));
    }
}

/// Turns the image about its centre by up to `degrees` to either side, each angle as likely; numbers between
/// pixels are interpolated linearly.
pub fn rotate(shape: [usize; 3], degrees: f32) -> impl Fn(&mut [f32], &mut Random) + Sync + Clone {
    move |x, random| {
        turn(shape, f64::from(degrees).to_radians() * (2.0 * random.unit() - 1.0), x);
    }
}

/// Turns the image by an angle, to the left where it is above 0.
fn turn(shape: [usize; 3], angle: f64, x: &mut [f32]) {
    let (sin, cos) = libm::sincos(angle);
    let [_, h, w] = shape.map(|size| (size as f64 - 1.0) / 2.0);
    each_channel("rotate", shape, x, |from, [i, j]| {
        // Where the pixel was before.
        let (y, x) = (i as f64 - h, j as f64 - w);
        let (y, x) = (h + cos * y + sin * x, w - sin * y + cos * x);
        let (top, left) = (libm::floor(y), libm::floor(x));
        let at = |dy: isize, dx: isize| f64::from(pixel(from, shape, top as isize + dy, left as isize + dx));
        let (down, right) = (y - top, x - left);
        let upper = at(0, 0) * (1.0 - right) + at(0, 1) * right;
        let lower = at(1, 0) * (1.0 - right) + at(1, 1) * right;
        (upper * (1.0 - down) + lower * down) as f32
    });
}

/// Mirrors the image, left for right, half of the time.
pub fn flip(shape: [usize; 3]) -> impl Fn(&mut [f32], &mut Random) + Sync + Clone {
    move |x, random| {
        check("flip", shape, x);
        if random.below(2) == 1 {
            x.chunks_exact_mut(shape[2].max(1)).for_each(<[f32]>::reverse);
        }
    }
}

/// Mirrors the image, top for bottom, half of the time.
pub fn flip_vertical(shape: [usize; 3]) -> impl Fn(&mut [f32], &mut Random) + Sync + Clone {
    move |x, random| {
        check("flip_vertical", shape, x);
        if random.below(2) == 1 {
            each_channel("flip_vertical", shape, x, |from, [i, j]| from[(shape[1] - 1 - i) * shape[2] + j]);
        }
    }
}

/// Adds to every number one of mean 0 and of this standard deviation, normally distributed. Of any sample,
/// not of images alone.
pub fn noise(deviation: f32) -> impl Fn(&mut [f32], &mut Random) + Sync + Clone {
    move |x, random| {
        for pair in x.chunks_mut(2) {
            let drawn = random.normal_pair();
            pair.iter_mut().zip(drawn).for_each(|(x, drawn)| *x += deviation * drawn as f32);
        }
    }
}

/// Hides a square of `side` pixels, in all channels; its centre is any pixel, so that it may reach out of the
/// image. DeVries & Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017.
pub fn cut_out(shape: [usize; 3], side: usize) -> impl Fn(&mut [f32], &mut Random) + Sync + Clone {
    move |x, random| {
        check("cut_out", shape, x);
        let [_, height, width] = shape;
        let [rows, columns] = [height, width].map(|size| {
            let from = random.below(size) as isize - side as isize / 2;
            from.max(0) as usize..(from + side as isize).clamp(0, size as isize) as usize
        });
        for channel in x.chunks_exact_mut((height * width).max(1)) {
            for row in rows.clone() {
                channel[row * width..][columns.clone()].fill(0.0);
            }
        }
    }
}

/// Writes every channel anew from what it was: `of` gets that and a row and a column.
fn each_channel(name: &str, shape: [usize; 3], x: &mut [f32], of: impl Fn(&[f32], [usize; 2]) -> f32) {
    check(name, shape, x);
    let [_, height, width] = shape;
    let mut from = Vec::new();
    for channel in x.chunks_exact_mut((height * width).max(1)) {
        from.clear();
        from.extend_from_slice(channel);
        for (i, row) in channel.chunks_exact_mut(width).enumerate() {
            row.iter_mut().enumerate().for_each(|(j, pixel)| *pixel = of(&from, [i, j]));
        }
    }
}

/// A pixel of a channel; 0 outside.
fn pixel(channel: &[f32], [_, height, width]: [usize; 3], row: isize, column: isize) -> f32 {
    let inside = |at: isize, size: usize| usize::try_from(at).ok().filter(|&at| at < size);
    match (inside(row, height), inside(column, width)) {
        (Some(row), Some(column)) => channel[row * width + column],
        _ => 0.0,
    }
}

fn check(name: &str, shape: [usize; 3], x: &[f32]) {
    let expected: usize = shape.iter().product();
    assert!(
        x.len() == expected,
        "{name}: expected a sample of {shape:?}, {expected} numbers, found {}\nhelp: give the shape of the input",
        x.len()
    );
}

#[cfg(test)]
mod tests;
