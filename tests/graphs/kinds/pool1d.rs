//! `MaxPool1d` and `AvgPool1d` over steps.

use std::sync::Arc;

use super::{Operation, largest};
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct Pool1d {
    max: bool,
    kernel: usize,
    stride: usize,
}

pub fn draw(rng: &mut Rng, x: &[usize], stream: bool) -> Option<Arc<dyn Operation>> {
    let [steps, _] = x[..] else { return None };
    let kernel = rng.between(1, steps.min(3));
    (steps > 1 && !stream)
        .then(|| Arc::new(Pool1d { max: rng.chance(50), kernel, stride: rng.between(1, 2) }) as Arc<dyn Operation>)
}

impl Operation for Pool1d {
    fn word(&self) -> &'static str {
        if self.max { "MaxPool1d" } else { "AvgPool1d" }
    }

    fn arguments(&self) -> String {
        format!("({}, stride = {})", self.kernel, self.stride)
    }

    fn output(&self, x: &[usize]) -> Shape {
        vec![(x[0] - self.kernel) / self.stride + 1, x[1]]
    }

    fn forward(&self, x: &[f64], shape: &[usize], _: &[Vec<f64>], margin: &mut f64) -> Vec<f64> {
        let features = shape[1];
        let mut y = Vec::new();
        for s in 0..self.output(shape)[0] {
            for f in 0..features {
                let window: Vec<f64> = (0..self.kernel).map(|k| x[(s * self.stride + k) * features + f]).collect();
                y.push(match self.max {
                    true => largest(&window, margin),
                    false => window.iter().sum::<f64>() / self.kernel as f64,
                });
            }
        }
        y
    }
}
