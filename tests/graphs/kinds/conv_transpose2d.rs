//! `ConvTranspose2d`: what a convolution sends back to its input.

use std::sync::Arc;

use super::Operation;
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct ConvTranspose2d {
    filters: usize,
    kernel: usize,
    stride: usize,
}

pub fn draw(rng: &mut Rng, x: &[usize], _: bool) -> Option<Arc<dyn Operation>> {
    // It makes images larger.
    let [_, 1..=3, 1..=3] = x[..] else { return None };
    Some(Arc::new(ConvTranspose2d { filters: rng.between(1, 3), kernel: rng.between(1, 3), stride: rng.between(1, 2) }))
}

impl Operation for ConvTranspose2d {
    fn word(&self) -> &'static str {
        "ConvTranspose2d"
    }

    fn arguments(&self) -> String {
        format!("({}, {}, stride = {})", self.filters, self.kernel, self.stride)
    }

    fn params(&self, x: &[usize]) -> Vec<(&'static str, Shape)> {
        vec![("weight", vec![x[0], self.filters, self.kernel, self.kernel]), ("bias", vec![self.filters])]
    }

    fn output(&self, x: &[usize]) -> Shape {
        vec![self.filters, (x[1] - 1) * self.stride + self.kernel, (x[2] - 1) * self.stride + self.kernel]
    }

    fn forward(&self, x: &[f64], shape: &[usize], params: &[Vec<f64>], _: &mut f64) -> Vec<f64> {
        let [channels, height, width] = [shape[0], shape[1], shape[2]];
        let [_, h, w] = self.output(shape)[..] else { unreachable!("an image") };
        let mut y: Vec<f64> = params[1].iter().flat_map(|&bias| vec![bias; h * w]).collect();
        for c in 0..channels {
            for (at, x) in x[c * height * width..][..height * width].iter().enumerate() {
                for (tap, weight) in params[0][c * self.filters * self.kernel * self.kernel..]
                    .iter()
                    .take(self.filters * self.kernel * self.kernel)
                    .enumerate()
                {
                    let (f, k, l) =
                        (tap / self.kernel / self.kernel, tap / self.kernel % self.kernel, tap % self.kernel);
                    let (i, j) = (at / width * self.stride + k, at % width * self.stride + l);
                    y[(f * h + i) * w + j] += weight * x;
                }
            }
        }
        y
    }
}
