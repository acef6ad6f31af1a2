//! `MaxPool2d` and `AvgPool2d`.

use std::sync::Arc;

use super::image::{Axis, window};
use super::{Operation, largest};
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct Pool2d {
    max: bool,
    axis: Axis,
    window: String,
}

pub fn draw(rng: &mut Rng, x: &[usize], _: bool) -> Option<Arc<dyn Operation>> {
    let [_, height, width] = x[..] else { return None };
    let max = rng.chance(65);
    let most = height.min(width).min(3);
    // Mostly as pools are used: windows side by side.
    if most > 1 && rng.chance(60) {
        let kernel = rng.between(2, most);
        let axis = Axis { kernel, stride: kernel, dilation: 1, pads: [0; 2] };
        return Some(Arc::new(Pool2d { max, axis, window: String::new() }));
    }
    let (axis, window) = window(rng, &[height, width], 3)?;
    // A pool knows no dilation, and as padding no more than half its window.
    let fits = axis.dilation == 1 && axis.pads[0] * 2 <= axis.kernel;
    let window = if axis.stride == 1 { format!(", stride = 1{window}") } else { window };
    fits.then(|| Arc::new(Pool2d { max, axis, window }) as Arc<dyn Operation>)
}

impl Operation for Pool2d {
    fn word(&self) -> &'static str {
        if self.max { "MaxPool2d" } else { "AvgPool2d" }
    }

    fn arguments(&self) -> String {
        format!("({}{})", self.axis.kernel, self.window)
    }

    fn output(&self, x: &[usize]) -> Shape {
        vec![x[0], self.axis.outputs(x[1]).unwrap(), self.axis.outputs(x[2]).unwrap()]
    }

    fn forward(&self, x: &[f64], shape: &[usize], _: &[Vec<f64>], margin: &mut f64) -> Vec<f64> {
        let [_, h, w] = self.output(shape)[..] else { unreachable!("an image") };
        let (height, width, kernel) = (shape[1], shape[2], self.axis.kernel);
        let mut y = Vec::new();
        for x in x.chunks(height * width) {
            for at in 0..h * w {
                let taps = (0..kernel * kernel).filter_map(|tap| {
                    let i = self.axis.place(at / w, tap / kernel, height)?;
                    Some(x[i * width + self.axis.place(at % w, tap % kernel, width)?])
                });
                let window: Vec<f64> = taps.collect();
                y.push(match self.max {
                    true => largest(&window, margin),
                    false => window.iter().sum::<f64>() / (kernel * kernel) as f64,
                });
            }
        }
        y
    }
}
