//! `RmsNorm` over the last dimension.

use std::sync::Arc;

use super::Operation;
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct RmsNorm;

pub fn draw(rng: &mut Rng, x: &[usize], _: bool) -> Option<Arc<dyn Operation>> {
    (x[x.len() - 1] > 1 && rng.chance(60)).then(|| Arc::new(RmsNorm) as Arc<dyn Operation>)
}

impl Operation for RmsNorm {
    fn word(&self) -> &'static str {
        "RmsNorm"
    }

    fn arguments(&self) -> String {
        String::new()
    }

    fn params(&self, x: &[usize]) -> Vec<(&'static str, Shape)> {
        vec![("weight", vec![x[x.len() - 1]])]
    }

    fn forward(&self, x: &[f64], shape: &[usize], params: &[Vec<f64>], margin: &mut f64) -> Vec<f64> {
        let mut y = Vec::new();
        for row in x.chunks(shape[shape.len() - 1]) {
            let square = row.iter().map(|x| x * x).sum::<f64>() / row.len() as f64;
            if square > 0.0 {
                *margin = margin.min(0.002 * square.sqrt());
            }
            let scale = 1.0 / (square + f64::from(1e-6f32)).sqrt();
            y.extend(row.iter().zip(&params[0]).map(|(x, weight)| x * scale * weight));
        }
        y
    }
}
