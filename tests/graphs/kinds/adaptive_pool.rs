//! `AdaptiveAvgPool2d`, `AdaptiveMaxPool2d`, `AdaptiveAvgPool1d`, `AdaptiveMaxPool1d`.

use std::sync::Arc;

use super::{Operation, largest};
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct AdaptivePool {
    max: bool,
    /// Parts of rows and columns; of a sequence those of steps alone.
    parts: Vec<usize>,
}

pub fn draw(rng: &mut Rng, x: &[usize], stream: bool) -> Option<Arc<dyn Operation>> {
    let parts = match x.len() {
        3 => vec![rng.between(1, 4), rng.between(1, 4)],
        2 if !stream => vec![rng.between(1, 4)],
        _ => return None,
    };
    Some(Arc::new(AdaptivePool { max: rng.chance(50), parts }) as Arc<dyn Operation>)
}

impl Operation for AdaptivePool {
    fn word(&self) -> &'static str {
        match (self.max, self.parts.len()) {
            (false, 2) => "AdaptiveAvgPool2d",
            (true, 2) => "AdaptiveMaxPool2d",
            (false, _) => "AdaptiveAvgPool1d",
            (true, _) => "AdaptiveMaxPool1d",
        }
    }

    fn arguments(&self) -> String {
        match self.parts[..] {
            [down, across] if down != across => format!("(9, size_hw = [{down}, {across}])"),
            _ => format!("({})", self.parts[0]),
        }
    }

    fn output(&self, x: &[usize]) -> Shape {
        match self.parts[..] {
            [down, across] => vec![x[0], down, across],
            _ => vec![self.parts[0], x[1]],
        }
    }

    fn forward(&self, x: &[f64], shape: &[usize], _: &[Vec<f64>], margin: &mut f64) -> Vec<f64> {
        let part = |size: usize, n: usize, o: usize| o * size / n..((o + 1) * size).div_ceil(n);
        let mut y = Vec::new();
        for at in 0..self.output(shape).iter().product() {
            // The channel, and the ranges of what it is made of.
            let window: Vec<f64> = match self.parts[..] {
                [down, across] => {
                    let (h, w) = (shape[1], shape[2]);
                    let rows = part(h, down, at / across % down);
                    let columns = part(w, across, at % across);
                    let place = |i: usize, j: usize| x[(at / (down * across) * h + i) * w + j];
                    rows.flat_map(|i| columns.clone().map(move |j| (i, j))).map(|(i, j)| place(i, j)).collect()
                }
                _ => {
                    let (steps, features) = (shape[0], shape[1]);
                    part(steps, self.parts[0], at / features).map(|s| x[s * features + at % features]).collect()
                }
            };
            y.push(match self.max {
                true => largest(&window, margin),
                false => window.iter().sum::<f64>() / window.len() as f64,
            });
        }
        y
    }
}
