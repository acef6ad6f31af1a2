//! `Prelu`: one slope for all numbers, or one per channel or feature.

use std::sync::Arc;

use super::Operation;
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct Prelu {
    per_channel: bool,
}

pub fn draw(rng: &mut Rng, _: &[usize], _: bool) -> Option<Arc<dyn Operation>> {
    Some(Arc::new(Prelu { per_channel: rng.chance(50) }))
}

/// The dimension that has a slope for each place.
fn axis(shape: &[usize]) -> usize {
    usize::from(shape.len() == 2)
}

impl Operation for Prelu {
    fn word(&self) -> &'static str {
        "Prelu"
    }

    fn arguments(&self) -> String {
        if self.per_channel { "(per_channel = true)".to_owned() } else { String::new() }
    }

    fn params(&self, x: &[usize]) -> Vec<(&'static str, Shape)> {
        vec![("weight", vec![if self.per_channel { x[axis(x)] } else { 1 }])]
    }

    fn forward(&self, x: &[f64], shape: &[usize], params: &[Vec<f64>], margin: &mut f64) -> Vec<f64> {
        let slopes = &params[0];
        let inner: usize = shape[axis(shape) + 1..].iter().product();
        let one = |(i, &x): (usize, &f64)| {
            *margin = margin.min(x.abs());
            if x > 0.0 { x } else { slopes[i / inner % slopes.len()] * x }
        };
        x.iter().enumerate().map(one).collect()
    }
}
