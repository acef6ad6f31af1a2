//! `BatchNorm` of features, of sequences and of images: by its batch when training, by running statistics
//! when predicting.

use std::sync::Arc;

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

pub fn draw(rng: &mut Rng, _: &[usize], _: bool) -> Option<Arc<dyn Operation>> {
    let momentum = rng.pick(&[0.1, 0.1, 0.5, 1.0]);
    Some(Arc::new(BatchNorm { momentum, affine: rng.chance(75) }))
}

/// The dimension of the channels: the features of a sequence.
fn axis(shape: &[usize]) -> usize {
    usize::from(shape.len() == 2)
}

/// The channel of a number.
fn channel_of(i: usize, shape: &[usize]) -> usize {
    i / shape[axis(shape) + 1..].iter().product::<usize>() % shape[axis(shape)]
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
        if self.affine { vec![("weight", vec![x[axis(x)]]), ("bias", vec![x[axis(x)]])] } else { Vec::new() }
    }

    fn running(&self, x: &[usize]) -> Vec<(&'static str, Shape)> {
        vec![("running_mean", vec![x[axis(x)]]), ("running_var", vec![x[axis(x)]])]
    }

    fn forward(&self, x: &[f64], shape: &[usize], params: &[Vec<f64>], _: &mut f64) -> Vec<f64> {
        let running = &params[params.len() - 2..];
        let one = |(i, &x): (usize, &f64)| {
            let channel = channel_of(i, shape);
            self.scale(x, channel, (running[0][channel], running[1][channel]), params)
        };
        x.iter().enumerate().map(one).collect()
    }

    fn train(&self, x: &[&[f64]], shape: &[usize], params: &mut [Vec<f64>], margin: &mut f64) -> Option<Vec<Vec<f64>>> {
        let mut y: Vec<Vec<f64>> = x.iter().map(|x| x.to_vec()).collect();
        for channel in 0..shape[axis(shape)] {
            let of = |i: &usize| channel_of(*i, shape) == channel;
            let all: Vec<f64> = x.iter().flat_map(|x| (0..x.len()).filter(of).map(|i| x[i])).collect();
            let (mean, variance) = moments(&all, margin);
            for (y, x) in y.iter_mut().zip(x) {
                for i in (0..x.len()).filter(of) {
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
