//! Pictures as pixels. In: marks; out: red, green and blue of every pixel, edges smoothed by the share of a
//! pixel that is covered. It decides nothing about what is drawn where.

use std::vec::Vec;

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, RasterizedChar, get_raster};

use super::{Anchor, CURVE, Color, DOT, Mark, Picture};

/// Pixels for each one of a picture's own, so that text is sharp.
const SCALE: f64 = 2.0;
/// The letters that all sizes are made of.
const LETTERS: RasterHeight = RasterHeight::Size32;
/// How high the box of a letter is, and how wide, in sizes of the font; and which share of it is above the
/// line that letters stand on.
const BOX: [f64; 2] = [1.25, 0.56];
const ABOVE: f64 = 0.78;
/// Lengths of a dash and of a gap.
const DASH: [f64; 2] = [4.0, 3.0];

struct Canvas {
    width: usize,
    height: usize,
    /// `[height, width, 3]`
    pixels: Vec<u8>,
}

/// The pixels of a picture, `[height, width, 3]`, with its width and height.
pub(super) fn pixels(picture: &Picture) -> (Vec<u8>, usize, usize) {
    let [width, height] = [picture.width, picture.height].map(|side| (side * SCALE).ceil() as usize);
    let mut canvas = Canvas { width, height, pixels: Vec::new() };
    canvas.pixels.resize(3 * width * height, 0xff);
    picture.marks.iter().for_each(|mark| canvas.draw(mark));
    (canvas.pixels, width, height)
}

fn scaled<const N: usize>(numbers: [f64; N]) -> [f64; N] {
    numbers.map(|number| number * SCALE)
}

impl Canvas {
    fn draw(&mut self, mark: &Mark) {
        match mark {
            Mark::Rectangle { at, fill } => {
                let [left, top, width, height] = scaled(*at);
                // Which share of a pixel lies between two lines.
                let share = |at: usize, from: f64, to: f64| (to.min(at as f64 + 1.0) - from.max(at as f64)).max(0.0);
                self.cover([left, top, left + width, top + height], *fill, |x, y| {
                    share(x, left, left + width) * share(y, top, top + height)
                });
            }
            Mark::Line { ends, color, dashed } => self.segment(ends.map(scaled), SCALE / 2.0, *color, *dashed),
            Mark::Curve { points, color } => {
                for ends in points.windows(2) {
                    self.segment([scaled(ends[0]), scaled(ends[1])], CURVE * SCALE, *color, false);
                }
            }
            Mark::Dot { at, color } => self.segment([scaled(*at); 2], DOT * SCALE, *color, false),
            Mark::Text { at, size, anchor, color, text, upright } => {
                self.text(scaled(*at), size * SCALE, (*anchor, *upright), *color, text);
            }
            Mark::Image { at, pixels, shape: [height, width, channels] } => {
                let [left, top, w, h] = scaled(*at);
                let place = |at: usize, from: f64, side: f64, count: usize| {
                    ((at as f64 + 0.5 - from) / side * count as f64).clamp(0.0, count as f64 - 1.0) as usize
                };
                for y in Self::range(top, top + h, self.height) {
                    for x in Self::range(left, left + w, self.width) {
                        let from = place(y, top, h, *height) * width + place(x, left, w, *width);
                        let pixel = &pixels[from * channels..][..*channels];
                        let to = 3 * (y * self.width + x);
                        self.pixels[to..to + 3].copy_from_slice(&[0, 1, 2].map(|c| pixel[c.min(channels - 1)]));
                    }
                }
            }
        }
    }

    /// Pixels whose middle lies between two lines.
    fn range(from: f64, to: f64, side: usize) -> core::ops::Range<usize> {
        let place = |at: f64| ((at - 0.5).ceil().max(0.0) as usize).min(side);
        place(from)..place(to)
    }

    /// Mixes a color into the pixels around `[left, top, right, bottom]`, as far as `share` says of each.
    fn cover(&mut self, [left, top, right, bottom]: [f64; 4], color: Color, share: impl Fn(usize, usize) -> f64) {
        let range = |from: f64, to: f64, side: usize| {
            let end = (to.ceil().max(0.0) as usize).min(side);
            (from.floor().max(0.0) as usize).min(end)..end
        };
        for y in range(top, bottom, self.height) {
            for x in range(left, right, self.width) {
                let share = share(x, y).clamp(0.0, 1.0);
                let at = 3 * (y * self.width + x);
                for (pixel, color) in self.pixels[at..at + 3].iter_mut().zip(color) {
                    *pixel = (f64::from(*pixel) + share * (f64::from(color) - f64::from(*pixel))).round() as u8;
                }
            }
        }
    }

    /// What is at most `half` from a straight line, which may be a point.
    fn segment(&mut self, [[x1, y1], [x2, y2]]: [[f64; 2]; 2], half: f64, color: Color, dashed: bool) {
        let [along, down] = [x2 - x1, y2 - y1];
        let square = along * along + down * down;
        let edge = half + 1.0;
        let around = [x1.min(x2) - edge, y1.min(y2) - edge, x1.max(x2) + edge, y1.max(y2) + edge];
        self.cover(around, color, |x, y| {
            let [x, y] = [x as f64 + 0.5 - x1, y as f64 + 0.5 - y1];
            let place = if square > 0.0 { ((x * along + y * down) / square).clamp(0.0, 1.0) } else { 0.0 };
            let gap = dashed && libm::fmod(place * square.sqrt() / SCALE, DASH[0] + DASH[1]) > DASH[0];
            let far = (x - place * along).hypot(y - place * down);
            if gap { 0.0 } else { half + 0.5 - far }
        });
    }

    /// A line of letters.
    fn text(&mut self, [x, y]: [f64; 2], size: f64, (anchor, upright): (Anchor, bool), color: Color, text: &str) {
        let [height, width] = BOX.map(|side| side * size);
        // Three points are one letter elsewhere.
        let text = text.replace('…', "...");
        let long = text.chars().count() as f64 * width;
        let mut begin = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -long / 2.0,
            Anchor::End => -long,
        };
        for letter in text.chars().filter(|c| !c.is_control()) {
            let glyph = |c| get_raster(c, FontWeight::Regular, LETTERS);
            if let Some(glyph) = glyph(letter).or_else(|| glyph('?')) {
                // From the point that the text stands at: along it, and down from its upper edge.
                let inside = |across: f64, down: f64| {
                    let [across, down] = if upright { [-down, across] } else { [across, down] };
                    ink(&glyph, (across - begin) / width, (down + ABOVE * height) / height)
                };
                let [near, far, above, below] = [begin, begin + width, -ABOVE * height, (1.0 - ABOVE) * height];
                let around = match upright {
                    true => [x + above, y - far, x + below, y - near],
                    false => [x + near, y + above, x + far, y + below],
                };
                self.cover(around, color, |px, py| inside(px as f64 + 0.5 - x, py as f64 + 0.5 - y));
            }
            begin += width;
        }
    }
}

/// How much ink there is at a place of a letter's box, from 0 to 1 along both sides: between its pixels in
/// proportion.
fn ink(glyph: &RasterizedChar, along: f64, down: f64) -> f64 {
    let [x, y] = [along * glyph.width() as f64 - 0.5, down * glyph.height() as f64 - 0.5];
    let pixel = |x: f64, y: f64| match x < 0.0 || y < 0.0 {
        true => 0.0,
        false => f64::from(glyph.pixel(x as usize, y as usize).unwrap_or(0)) / 255.0,
    };
    let (left, top) = (x.floor(), y.floor());
    let (right, low) = (x - left, y - top);
    let row = |y: f64| pixel(left, y) * (1.0 - right) + pixel(left + 1.0, y) * right;
    row(top) * (1.0 - low) + row(top + 1.0) * low
}
