//! `Upsample`: nearest pixels, or between pixels in proportion.

use std::sync::Arc;

use super::Operation;
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct Upsample {
    scale: [usize; 2],
    bilinear: bool,
}

pub fn draw(rng: &mut Rng, x: &[usize], _: bool) -> Option<Arc<dyn Operation>> {
    let [_, height, width] = x[..] else { return None };
    let scale = [rng.between(1, 3), rng.between(1, 3)];
    let fits = height * scale[0] < 9 && width * scale[1] < 9;
    fits.then(|| Arc::new(Upsample { scale, bilinear: rng.chance(50) }) as Arc<dyn Operation>)
}

/// The pixels of a line that a place lies between, and how near it is to the second.
fn between(place: usize, scale: usize, pixels: usize) -> (usize, usize, f64) {
    let at = ((place as f64 + 0.5) / scale as f64 - 0.5).clamp(0.0, pixels as f64 - 1.0);
    let first = at.floor() as usize;
    (first, (first + 1).min(pixels - 1), at - at.floor())
}

impl Operation for Upsample {
    fn word(&self) -> &'static str {
        "Upsample"
    }

    fn arguments(&self) -> String {
        let mode = if self.bilinear { ", mode = Bilinear" } else { "" };
        match self.scale {
            [height, width] if height == width => format!("({height}{mode})"),
            scale => format!("(1, scale_hw = {scale:?}{mode})"),
        }
    }

    fn output(&self, x: &[usize]) -> Shape {
        vec![x[0], x[1] * self.scale[0], x[2] * self.scale[1]]
    }

    fn forward(&self, x: &[f64], shape: &[usize], _: &[Vec<f64>], _: &mut f64) -> Vec<f64> {
        let [height, width] = [shape[1], shape[2]];
        let mut y = Vec::new();
        for x in x.chunks(height * width) {
            for i in 0..height * self.scale[0] {
                for j in 0..width * self.scale[1] {
                    if !self.bilinear {
                        y.push(x[i / self.scale[0] * width + j / self.scale[1]]);
                        continue;
                    }
                    let (top, bottom, down) = between(i, self.scale[0], height);
                    let (left, right, across) = between(j, self.scale[1], width);
                    let row = |r: usize| (1.0 - across) * x[r * width + left] + across * x[r * width + right];
                    y.push((1.0 - down) * row(top) + down * row(bottom));
                }
            }
        }
        y
    }
}
