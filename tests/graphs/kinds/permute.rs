//! `Permute`: dimensions in another order.

use std::sync::Arc;

use super::Operation;
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct Permute {
    axes: Vec<usize>,
}

pub fn draw(rng: &mut Rng, x: &[usize], stream: bool) -> Option<Arc<dyn Operation>> {
    let mut axes: Vec<usize> = (0..x.len()).collect();
    for i in (1..axes.len()).rev() {
        axes.swap(i, rng.below(i + 1));
    }
    (x.len() > 1 && !stream && !axes.is_sorted()).then(|| Arc::new(Permute { axes }) as Arc<dyn Operation>)
}

impl Operation for Permute {
    fn word(&self) -> &'static str {
        "Permute"
    }

    fn arguments(&self) -> String {
        format!("({:?})", self.axes)
    }

    fn output(&self, x: &[usize]) -> Shape {
        self.axes.iter().map(|&axis| x[axis]).collect()
    }

    fn forward(&self, x: &[f64], shape: &[usize], _: &[Vec<f64>], _: &mut f64) -> Vec<f64> {
        let to = self.output(shape);
        let place = |mut i: usize| {
            // Where each dimension of the output stands, from the last to the first.
            let mut at = vec![0; shape.len()];
            for (k, &axis) in self.axes.iter().enumerate().rev() {
                (at[axis], i) = (i % to[k], i / to[k]);
            }
            at.iter().zip(shape).fold(0, |place, (at, len)| place * len + at)
        };
        (0..x.len()).map(|i| x[place(i)]).collect()
    }
}
