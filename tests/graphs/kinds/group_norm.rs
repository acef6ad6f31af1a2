//! `GroupNorm` and `InstanceNorm`, which is one group a channel.

use std::sync::Arc;

use super::{Operation, moments, normalised};
use crate::graph::Shape;
use crate::rng::Rng;

#[derive(Debug)]
struct GroupNorm {
    /// `None` is `InstanceNorm`.
    groups: Option<usize>,
    affine: bool,
}

pub fn draw(rng: &mut Rng, x: &[usize], stream: bool) -> Option<Arc<dyn Operation>> {
    if x.len() == 1 || stream {
        return None;
    }
    let channels = x[axis(x)];
    let fits: Vec<usize> = (1..=channels).filter(|groups| channels.is_multiple_of(*groups)).collect();
    let groups = rng.chance(50).then(|| rng.pick(&fits));
    let len = x.iter().product::<usize>() / groups.unwrap_or(channels);
    (len > 1).then(|| Arc::new(GroupNorm { groups, affine: rng.chance(60) }) as Arc<dyn Operation>)
}

/// The dimension of the channels: the features of a sequence.
fn axis(shape: &[usize]) -> usize {
    usize::from(shape.len() == 2)
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
        if self.affine { vec![("weight", vec![x[axis(x)]]), ("bias", vec![x[axis(x)]])] } else { Vec::new() }
    }

    fn forward(&self, x: &[f64], shape: &[usize], params: &[Vec<f64>], margin: &mut f64) -> Vec<f64> {
        let channels = shape[axis(shape)];
        let each = channels / self.groups.unwrap_or(channels);
        let inner: usize = shape[axis(shape) + 1..].iter().product();
        let channel = |i: usize| i / inner % channels;
        let mut y = x.to_vec();
        for group in 0..channels / each {
            let of: Vec<usize> = (0..x.len()).filter(|&i| channel(i) / each == group).collect();
            let (mean, variance) = moments(&of.iter().map(|&i| x[i]).collect::<Vec<_>>(), margin);
            for i in of {
                let weight = |k: usize, none: f64| params.get(k).map_or(none, |values| values[channel(i)]);
                y[i] = normalised(x[i], mean, variance, 1e-5, weight(0, 1.0), weight(1, 0.0));
            }
        }
        y
    }
}
