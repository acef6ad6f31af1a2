//! `BatchNorm` of features and of images: by its batch when training, by running statistics when predicting.

use std::rc::Rc;

use super::{Operation, moments, normalised};
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct BatchNorm {
    momentum: f32,
    affine: bool,
}

/// What is added to the variance.
const EPS: f32 = 1e-5;

pub fn draw(rng: &mut Rng, x: &[usize], _: bool) -> Option<Rc<dyn Operation>> {
    let momentum = rng.pick(&[0.1, 0.1, 0.5, 1.0]);
    (x.len() != 2).then(|| Rc::new(BatchNorm { momentum, affine: rng.chance(75) }) as Rc<dyn Operation>)
}

impl BatchNorm {
    fn scale(&self, x: f64, channel: usize, moments: (f64, f64), params: &[Vec<f64>]) -> f64 {
        let (weight, bias) = if self.affine { (params[0][channel], params[1][channel]) } else { (1.0, 0.0) };
        normalised(x, moments.0, moments.1, EPS, weight, bias)
    }
}

impl Operation for BatchNorm {
    fn word(&self) -> &'static str {
        "BatchNorm"
    }

    fn arguments(&self) -> String {
        format!("(momentum = {:?}, affine = {})", self.momentum, self.affine)
    }

    fn params(&self, x: &[usize]) -> Vec<(&'static str, Shape)> {
        if self.affine { vec![("weight", vec![x[0]]), ("bias", vec![x[0]])] } else { Vec::new() }
    }

    fn running(&self, x: &[usize]) -> Vec<(&'static str, Shape)> {
        vec![("running_mean", vec![x[0]]), ("running_var", vec![x[0]])]
    }

    fn forward(&self, x: &[f64], shape: &[usize], params: &[Vec<f64>], _: &mut f64) -> Vec<f64> {
        let inner = x.len() / shape[0];
        let running = &params[params.len() - 2..];
        let one = |(i, &x): (usize, &f64)| {
            let channel = i / inner;
            self.scale(x, channel, (running[0][channel], running[1][channel]), params)
        };
        x.iter().enumerate().map(one).collect()
    }

    fn train(&self, x: &[&[f64]], shape: &[usize], params: &mut [Vec<f64>], margin: &mut f64) -> Option<Vec<Vec<f64>>> {
        let inner = x[0].len() / shape[0];
        let mut y: Vec<Vec<f64>> = x.iter().map(|x| x.to_vec()).collect();
        for channel in 0..shape[0] {
            let all: Vec<f64> = x.iter().flat_map(|x| &x[channel * inner..][..inner]).copied().collect();
            let (mean, variance) = moments(&all, margin);
            for (y, x) in y.iter_mut().zip(x) {
                for i in channel * inner..(channel + 1) * inner {
                    y[i] = self.scale(x[i], channel, (mean, variance), params);
                }
            }
            let count = all.len() as f64;
            let from = params.len() - 2;
            let momentum = f64::from(self.momentum);
            params[from][channel] += momentum * (mean - params[from][channel]);
            if all.len() > 1 {
                params[from + 1][channel] += momentum * (variance * count / (count - 1.0) - params[from + 1][channel]);
            }
        }
        Some(y)
    }
}
