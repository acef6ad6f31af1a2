//! Many images on one sheet. In: images, what is written below each; out: a picture.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::{Anchor, INK, Mark, Picture};
use crate::data::{DataError, DataErrorKind, Values};

/// How large an image is shown at least, and how many stand side by side at most.
const SIDE: f64 = 84.0;
const COLUMNS: usize = 8;
const GAP: f64 = 8.0;
const CAPTION: f64 = 18.0;

/// Images `[channels, height, width]` of one channel, grey, or three, red, green and blue: the smallest
/// number of all is black, the largest white. Samples that were mistaken, attributions, filters:
/// `Values::new(model.get("conv1.weight")?, 9)` of `[1, 3, 3]`. Images without a caption have none.
///
/// # Errors
/// Another number of channels, images of another size than their width, numbers that are not finite.
pub fn contact_sheet(
    images: &Values,
    [channels, height, width]: [usize; 3],
    captions: &[impl AsRef<str>],
) -> Result<Picture, DataError> {
    let fault =
        |expected: String, found: String| Err(DataError::new(DataErrorKind::Size, "contact_sheet", expected, found));
    if channels != 1 && channels != 3 {
        return fault("1 channel, or 3".to_string(), channels.to_string());
    }
    if channels * height * width != images.width() {
        let expected = format!("images of [{channels}, {height}, {width}], {} numbers", channels * height * width);
        return fault(expected, images.width().to_string());
    }
    images.check_finite("image")?;
    let numbers = images.as_slice().iter();
    let (low, high) = numbers.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
    let range = if high > low { high - low } else { 1.0 };
    let level = |number: f32| (255.0 * ((number - low) / range)).round() as u8;

    // Whole pixels, and none wider than it is high.
    let scale = (SIDE / height.max(width) as f64).ceil();
    let (w, h) = (width as f64 * scale, height as f64 * scale);
    let columns = images.len().clamp(1, COLUMNS);
    let rows = images.len().div_ceil(columns);
    let (cell_w, cell_h) = (w + GAP, h + CAPTION + GAP);
    let mut picture = Picture::new(columns as f64 * cell_w + GAP, rows as f64 * cell_h + GAP);
    for i in 0..images.len() {
        let image = images.sample(i);
        let pixels = height * width;
        let bytes = (0..pixels).flat_map(|at| (0..channels).map(move |channel| level(image[channel * pixels + at])));
        let bytes: Vec<u8> = bytes.collect();
        let (x, y) = (GAP + (i % columns) as f64 * cell_w, GAP + (i / columns) as f64 * cell_h);
        picture.marks.push(Mark::Image { at: [x, y, w, h], pixels: bytes, shape: [height, width, channels] });
        if let Some(caption) = captions.get(i) {
            picture.text([x + w / 2.0, y + h + 13.0], 12.0, Anchor::Middle, INK, caption.as_ref());
        }
    }
    Ok(picture)
}
