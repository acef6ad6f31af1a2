//! `Conv1d` that looks both ways: `Valid` and `Same`.

use std::sync::Arc;

use super::Operation;
use super::image::{Axis, window};
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct Conv1d {
    filters: usize,
    axis: Axis,
    window: String,
}

pub fn draw(rng: &mut Rng, x: &[usize], stream: bool) -> Option<Arc<dyn Operation>> {
    let [steps, _] = x[..] else { return None };
    let (axis, window) = window(rng, &[steps], 3).filter(|_| !stream)?;
    Some(Arc::new(Conv1d { filters: rng.between(1, 4), axis, window }))
}

impl Operation for Conv1d {
    fn word(&self) -> &'static str {
        "Conv1d"
    }

    fn arguments(&self) -> String {
        format!("({}, {}{})", self.filters, self.axis.kernel, self.window)
    }

    fn params(&self, x: &[usize]) -> Vec<(&'static str, Shape)> {
        vec![("weight", vec![self.filters, x[1], self.axis.kernel]), ("bias", vec![self.filters])]
    }

    fn output(&self, x: &[usize]) -> Shape {
        vec![self.axis.outputs(x[0]).unwrap(), self.filters]
    }

    fn forward(&self, x: &[f64], shape: &[usize], params: &[Vec<f64>], _: &mut f64) -> Vec<f64> {
        let ([steps, features], kernel) = ([shape[0], shape[1]], self.axis.kernel);
        let mut y = Vec::new();
        for s in 0..self.axis.outputs(steps).unwrap() {
            for (filter, bias) in params[0].chunks(features * kernel).zip(&params[1]) {
                let mut sum = *bias;
                for (k, at) in (0..kernel).filter_map(|k| Some((k, self.axis.place(s, k, steps)?))) {
                    sum += (0..features).map(|c| filter[c * kernel + k] * x[at * features + c]).sum::<f64>();
                }
                y.push(sum);
            }
        }
        y
    }
}
