//! `GlobalMaxPool` of images and of steps.

use std::sync::Arc;

use super::{Operation, largest};
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct GlobalMaxPool;

pub fn draw(_: &mut Rng, x: &[usize], stream: bool) -> Option<Arc<dyn Operation>> {
    (x.len() > 1 && !stream).then(|| Arc::new(GlobalMaxPool) as Arc<dyn Operation>)
}

impl Operation for GlobalMaxPool {
    fn word(&self) -> &'static str {
        "GlobalMaxPool"
    }

    fn arguments(&self) -> String {
        String::new()
    }

    fn output(&self, x: &[usize]) -> Shape {
        vec![if x.len() == 2 { x[1] } else { x[0] }]
    }

    fn forward(&self, x: &[f64], shape: &[usize], _: &[Vec<f64>], margin: &mut f64) -> Vec<f64> {
        let (channels, by_step) = (self.output(shape)[0], shape.len() == 2);
        let of = |i: usize| if by_step { i % channels } else { i / (x.len() / channels) };
        let mut all = vec![Vec::new(); channels];
        x.iter().enumerate().for_each(|(i, &x)| all[of(i)].push(x));
        all.iter().map(|window| largest(window, margin)).collect()
    }
}
