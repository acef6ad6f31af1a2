//! `Conv2d`: strides, paddings, dilations and groups.

use std::sync::Arc;

use super::Operation;
use super::image::{Axis, correlate, window};
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct Conv2d {
    filters: usize,
    groups: usize,
    bias: bool,
    axis: Axis,
    window: String,
}

pub fn draw(rng: &mut Rng, x: &[usize], _: bool) -> Option<Arc<dyn Operation>> {
    let [channels, height, width] = x[..] else { return None };
    let (axis, window) = window(rng, &[height, width], 3)?;
    let groups = if rng.chance(40) { channels } else { 1 };
    let filters = groups * rng.between(1, 3);
    Some(Arc::new(Conv2d { filters, groups, bias: rng.chance(75), axis, window }))
}

impl Operation for Conv2d {
    fn word(&self) -> &'static str {
        "Conv2d"
    }

    fn arguments(&self) -> String {
        let groups = if self.groups > 1 { format!(", groups = {}", self.groups) } else { String::new() };
        let bias = if self.bias { "" } else { ", bias = false" };
        format!("({}, {}{}{groups}{bias})", self.filters, self.axis.kernel, self.window)
    }

    fn params(&self, x: &[usize]) -> Vec<(&'static str, Shape)> {
        let weight = vec![self.filters, x[0] / self.groups, self.axis.kernel, self.axis.kernel];
        [("weight", weight)].into_iter().chain(self.bias.then(|| ("bias", vec![self.filters]))).collect()
    }

    fn output(&self, x: &[usize]) -> Shape {
        vec![self.filters, self.axis.outputs(x[1]).unwrap(), self.axis.outputs(x[2]).unwrap()]
    }

    fn forward(&self, x: &[f64], shape: &[usize], params: &[Vec<f64>], _: &mut f64) -> Vec<f64> {
        let (channels, per_group) = (shape[0] / self.groups, self.filters / self.groups);
        let [height, width] = [shape[1], shape[2]];
        let mut y = Vec::new();
        for (f, filter) in params[0].chunks(params[0].len() / self.filters).enumerate() {
            let x = &x[f / per_group * channels * height * width..][..channels * height * width];
            let bias = params.get(1).map_or(0.0, |bias| bias[f]);
            y.extend(correlate(x, [channels, height, width], filter, self.axis).into_iter().map(|y| y + bias));
        }
        y
    }
}
