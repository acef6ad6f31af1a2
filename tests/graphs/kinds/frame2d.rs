//! `ZeroPad2d` and `Crop2d`: a frame around an image, added or cut off.

use std::sync::Arc;

use super::Operation;
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct Frame2d {
    adds: bool,
    /// At the top, the bottom, the left and the right.
    sides: [usize; 4],
}

pub fn draw(rng: &mut Rng, x: &[usize], _: bool) -> Option<Arc<dyn Operation>> {
    let [_, height, width] = x[..] else { return None };
    let adds = rng.chance(50);
    let sides = [0; 4].map(|_| rng.pick(&[0, 1, 1, 2]));
    let [top, bottom, left, right] = sides;
    let fits = match adds {
        true => height + top + bottom < 9 && width + left + right < 9,
        false => top + bottom < height && left + right < width,
    };
    fits.then(|| Arc::new(Frame2d { adds, sides }) as Arc<dyn Operation>)
}

impl Operation for Frame2d {
    fn word(&self) -> &'static str {
        if self.adds { "ZeroPad2d" } else { "Crop2d" }
    }

    fn arguments(&self) -> String {
        match self.sides {
            [top, bottom, left, right] if [bottom, left, right] == [top; 3] => format!("({top})"),
            [top, bottom, left, right] => format!("({top}, bottom = {bottom}, left = {left}, right = {right})"),
        }
    }

    fn output(&self, x: &[usize]) -> Shape {
        let [top, bottom, left, right] = self.sides;
        match self.adds {
            true => vec![x[0], x[1] + top + bottom, x[2] + left + right],
            false => vec![x[0], x[1] - top - bottom, x[2] - left - right],
        }
    }

    fn forward(&self, x: &[f64], shape: &[usize], _: &[Vec<f64>], _: &mut f64) -> Vec<f64> {
        let ([top, _, left, _], to) = (self.sides, self.output(shape));
        let mut y = Vec::new();
        for c in 0..to[0] {
            for i in 0..to[1] {
                for j in 0..to[2] {
                    let (row, column) = match self.adds {
                        true => (i.wrapping_sub(top), j.wrapping_sub(left)),
                        false => (i + top, j + left),
                    };
                    let inside = row < shape[1] && column < shape[2];
                    y.push(if inside { x[(c * shape[1] + row) * shape[2] + column] } else { 0.0 });
                }
            }
        }
        y
    }
}
