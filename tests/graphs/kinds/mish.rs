//! `Mish`: of any shape.

use std::sync::Arc;

use super::Operation;
use crate::rng::Rng;

#[derive(Debug)]
struct Mish;

pub fn draw(_: &mut Rng, _: &[usize], _: bool) -> Option<Arc<dyn Operation>> {
    Some(Arc::new(Mish))
}

impl Operation for Mish {
    fn word(&self) -> &'static str {
        "Mish"
    }

    fn arguments(&self) -> String {
        String::new()
    }

    fn forward(&self, x: &[f64], _: &[usize], _: &[Vec<f64>], _: &mut f64) -> Vec<f64> {
        x.iter().map(|x| x * x.exp().ln_1p().tanh()).collect()
    }
}
