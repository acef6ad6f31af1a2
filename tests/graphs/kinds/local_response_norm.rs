//! `LocalResponseNorm` over images and sequences.

use std::sync::Arc;

use super::Operation;
use crate::rng::Rng;

#[derive(Debug)]
struct LocalResponseNorm {
    size: usize,
    alpha: f64,
}

pub fn draw(rng: &mut Rng, x: &[usize], stream: bool) -> Option<Arc<dyn Operation>> {
    if stream || x.is_empty() {
        return None;
    }
    Some(Arc::new(LocalResponseNorm { size: rng.between(1, 5), alpha: rng.pick(&[0.25, 1.0]) }) as Arc<dyn Operation>)
}

impl Operation for LocalResponseNorm {
    fn word(&self) -> &'static str {
        "LocalResponseNorm"
    }

    fn arguments(&self) -> String {
        format!("({}, alpha = {:?})", self.size, self.alpha)
    }

    fn forward(&self, x: &[f64], shape: &[usize], _: &[Vec<f64>], _: &mut f64) -> Vec<f64> {
        // Of a sequence the channels lie side by side.
        let (channels, after) = match *shape {
            [_, features] => (features, 1),
            _ => (shape[0], shape[1..].iter().product()),
        };
        let mut y = Vec::new();
        for x in x.chunks(channels * after) {
            for (at, number) in x.iter().enumerate() {
                let channel = at / after;
                let end = (channel + (self.size - 1) / 2).min(channels - 1);
                let window = channel.saturating_sub(self.size / 2)..=end;
                let squares: f64 = window.map(|c| x[c * after + at % after].powi(2)).sum();
                y.push(number / (1.0 + self.alpha * squares / self.size as f64).powf(0.75));
            }
        }
        y
    }
}
