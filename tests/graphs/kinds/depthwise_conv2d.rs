//! `DepthwiseConv2d`: each channel on its own, one time or more.

use std::sync::Arc;

use super::Operation;
use super::image::{Axis, correlate, window};
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct DepthwiseConv2d {
    multiplier: usize,
    axis: Axis,
    window: String,
}

pub fn draw(rng: &mut Rng, x: &[usize], _: bool) -> Option<Arc<dyn Operation>> {
    let [_, height, width] = x[..] else { return None };
    let (axis, window) = window(rng, &[height, width], 3)?;
    Some(Arc::new(DepthwiseConv2d { multiplier: rng.pick(&[1, 1, 2]), axis, window }))
}

impl Operation for DepthwiseConv2d {
    fn word(&self) -> &'static str {
        "DepthwiseConv2d"
    }

    fn arguments(&self) -> String {
        let multiplier =
            if self.multiplier > 1 { format!(", multiplier = {}", self.multiplier) } else { String::new() };
        format!("({}{}{multiplier})", self.axis.kernel, self.window)
    }

    fn params(&self, x: &[usize]) -> Vec<(&'static str, Shape)> {
        let filters = x[0] * self.multiplier;
        vec![("weight", vec![filters, 1, self.axis.kernel, self.axis.kernel]), ("bias", vec![filters])]
    }

    fn output(&self, x: &[usize]) -> Shape {
        vec![x[0] * self.multiplier, self.axis.outputs(x[1]).unwrap(), self.axis.outputs(x[2]).unwrap()]
    }

    fn forward(&self, x: &[f64], shape: &[usize], params: &[Vec<f64>], _: &mut f64) -> Vec<f64> {
        let [height, width] = [shape[1], shape[2]];
        let filters = params[0].chunks(self.axis.kernel * self.axis.kernel).zip(&params[1]).enumerate();
        let one = |(f, (filter, bias)): (usize, (&[f64], &f64))| -> Vec<f64> {
            let x = &x[f / self.multiplier * height * width..][..height * width];
            correlate(x, [1, height, width], filter, self.axis).into_iter().map(|y| y + bias).collect()
        };
        filters.flat_map(one).collect()
    }
}
