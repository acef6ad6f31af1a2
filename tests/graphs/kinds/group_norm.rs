//! `GroupNorm` and `InstanceNorm`, which is one group a channel.

use std::rc::Rc;

use super::{Operation, moments, normalised};
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct GroupNorm {
    /// `None` is `InstanceNorm`.
    groups: Option<usize>,
    affine: bool,
}

pub fn draw(rng: &mut Rng, x: &[usize], _: bool) -> Option<Rc<dyn Operation>> {
    let [channels, height, width] = x[..] else { return None };
    let fits: Vec<usize> = (1..=channels).filter(|groups| channels % groups == 0).collect();
    let groups = rng.chance(50).then(|| rng.pick(&fits));
    let len = channels * height * width / groups.unwrap_or(channels);
    (len > 1).then(|| Rc::new(GroupNorm { groups, affine: rng.chance(60) }) as Rc<dyn Operation>)
}

impl Operation for GroupNorm {
    fn word(&self) -> &'static str {
        if self.groups.is_some() { "GroupNorm" } else { "InstanceNorm" }
    }

    fn arguments(&self) -> String {
        match self.groups {
            Some(groups) => format!("({groups}, affine = {})", self.affine),
            None => format!("(affine = {})", self.affine),
        }
    }

    fn params(&self, x: &[usize]) -> Vec<(&'static str, Shape)> {
        if self.affine { vec![("weight", vec![x[0]]), ("bias", vec![x[0]])] } else { Vec::new() }
    }

    fn forward(&self, x: &[f64], shape: &[usize], params: &[Vec<f64>], margin: &mut f64) -> Vec<f64> {
        let (channels, groups) = (shape[0], self.groups.unwrap_or(shape[0]));
        let mut y = Vec::new();
        for (g, x) in x.chunks(x.len() / groups).enumerate() {
            let (mean, variance) = moments(x, margin);
            let inner = x.len() / (channels / groups);
            for (i, &x) in x.iter().enumerate() {
                let channel = g * (channels / groups) + i / inner;
                let of = |k: usize, none: f64| params.get(k).map_or(none, |values| values[channel]);
                y.push(normalised(x, mean, variance, 1e-5, of(0, 1.0), of(1, 0.0)));
            }
        }
        y
    }
}
