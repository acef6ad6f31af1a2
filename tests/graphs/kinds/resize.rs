//! `Resize`: nearest pixels, or between pixels in proportion, with and without corners aligned.

use std::sync::Arc;

use super::Operation;
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct Resize {
    size: [usize; 2],
    /// 0 nearest, 1 between pixels, 2 with corners aligned.
    mode: usize,
}

pub fn draw(rng: &mut Rng, x: &[usize], _: bool) -> Option<Arc<dyn Operation>> {
    let [_, _, _] = x[..] else { return None };
    let size = [rng.between(1, 7), rng.between(1, 7)];
    Some(Arc::new(Resize { size, mode: rng.between(0, 2) }) as Arc<dyn Operation>)
}

impl Operation for Resize {
    fn word(&self) -> &'static str {
        "Resize"
    }

    fn arguments(&self) -> String {
        let mode = ["", ", mode = Bilinear", ", mode = Bilinear, align_corners = true"][self.mode];
        match self.size {
            [height, width] if height == width => format!("({height}{mode})"),
            size => format!("(1, size_hw = {size:?}{mode})"),
        }
    }

    fn output(&self, x: &[usize]) -> Shape {
        vec![x[0], self.size[0], self.size[1]]
    }

    fn forward(&self, x: &[f64], shape: &[usize], _: &[Vec<f64>], _: &mut f64) -> Vec<f64> {
        let [height, width] = [shape[1], shape[2]];
        // The pixels of a line that a place lies between, and how near it is to the second.
        let between = |place: usize, to: usize, pixels: usize| {
            let (place, last) = (place as f64, pixels as f64 - 1.0);
            let at = match self.mode {
                0 => (place * pixels as f64 / to as f64 + 1e-9).floor(),
                1 => ((place + 0.5) * pixels as f64 / to as f64 - 0.5).clamp(0.0, last),
                _ if to == 1 => 0.0,
                _ => place * last / (to as f64 - 1.0),
            };
            let first = at.floor() as usize;
            (first, (first + 1).min(pixels - 1), at - at.floor())
        };
        let mut y = Vec::new();
        for x in x.chunks(height * width) {
            for i in 0..self.size[0] {
                for j in 0..self.size[1] {
                    let (top, bottom, down) = between(i, self.size[0], height);
                    let (left, right, across) = between(j, self.size[1], width);
                    let row = |r: usize| (1.0 - across) * x[r * width + left] + across * x[r * width + right];
                    y.push((1.0 - down) * row(top) + down * row(bottom));
                }
            }
        }
        y
    }
}
