//! `Glu`: halves along any axis.

use std::sync::Arc;

use super::Operation;
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct Glu {
    axis: usize,
    /// The axis is written, though it is the last.
    says: bool,
}

pub fn draw(rng: &mut Rng, x: &[usize], stream: bool) -> Option<Arc<dyn Operation>> {
    let axis = if stream { x.len() - 1 } else { rng.below(x.len()) };
    x[axis].is_multiple_of(2).then(|| Arc::new(Glu { axis, says: axis + 1 < x.len() || rng.chance(30) }) as _)
}

impl Operation for Glu {
    fn word(&self) -> &'static str {
        "Glu"
    }

    fn arguments(&self) -> String {
        if self.says { format!("(axis = {})", self.axis) } else { String::new() }
    }

    fn output(&self, x: &[usize]) -> Shape {
        let mut y = x.to_vec();
        y[self.axis] /= 2;
        y
    }

    fn forward(&self, x: &[f64], shape: &[usize], _: &[Vec<f64>], _: &mut f64) -> Vec<f64> {
        let half = shape[self.axis..].iter().product::<usize>() / 2;
        let halves = x.chunks(2 * half).map(|x| x.split_at(half));
        halves.flat_map(|(a, b)| a.iter().zip(b).map(|(a, b)| a / (1.0 + (-b).exp()))).collect()
    }
}
