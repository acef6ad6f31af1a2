//! What parameters begin with. In: a distribution, fans and random numbers; out: row-major numbers.

#[cfg(feature = "alloc")]
use alloc::vec;

use crate::random::Random;
use crate::shape::Shape;

/// The distribution a parameter is drawn from when a model begins.
///
/// With `fan_in` inputs and `fan_out` outputs. For a weight `[out, in, …]` they are `in·…` and `out·…`.
/// Convolutions count them within one group: of a depthwise 3 × 3 kernel both are 9 (PyTorch counts 9 and 9 ·
/// channels, Keras 9 · channels and 9), and of a transposed convolution they are those of what it computes,
/// though its weight is stored `[in, out, …]` (PyTorch and Keras take them the other way round).
///
/// | | variance | paper |
/// |---|---|---|
/// | Glorot | 2 / (fan_in + fan_out) | Glorot & Bengio 2010 |
/// | He | 2 / fan_in | He et al. 2015 |
/// | LeCun | 1 / fan_in | LeCun et al. 1998 |
///
/// Uniform ones span ±√(3·variance); normal ones are not truncated (as in PyTorch; Keras truncates at two
/// deviations).
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum Init {
    /// Uniform, the default of weights (as in Keras).
    GlorotUniform,
    /// Normal.
    GlorotNormal,
    /// Uniform.
    HeUniform,
    /// Normal, the usual choice before ReLU.
    HeNormal,
    /// Uniform.
    LecunUniform,
    /// Normal, the choice for SELU networks.
    LecunNormal,
    /// All zero, the default of biases.
    Zeros,
    /// All the same.
    Constant(f32),
    /// Uniform in ± this bound.
    Uniform(f32),
    /// Normal with this deviation.
    Normal(f32),
    /// Of a weight `[out, in, …]` taken as a matrix of `out` rows, rows that are orthogonal to each other, or
    /// columns where there are fewer, each of this length: the usual choice for recurrent weights (1.0) and
    /// for policies (√2 within, 0.01 at the end). Any such matrix is as likely as any other. Saxe et al.,
    /// "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2013;
    /// PyTorch's `orthogonal_`. A vector becomes one row.
    Orthogonal(f32),
}

impl Init {
    /// Whether it is drawn number by number, in memory that a tensor has anyway.
    pub(crate) fn needs_memory(self) -> bool {
        matches!(self, Init::Orthogonal(_))
    }

    /// Whether it is made of normal numbers.
    pub(crate) const fn draws_normals(self) -> bool {
        use Init::{GlorotNormal, HeNormal, LecunNormal, Normal, Orthogonal};
        matches!(self, GlorotNormal | HeNormal | LecunNormal | Normal(_) | Orthogonal(_))
    }

    /// Draws a tensor of this shape, with these fans: inputs and outputs. `put` is given each number with its
    /// place, row-major, in order. Where nothing allocates, what needs memory is not drawn; a program without
    /// `NORMALS` has no sine in it.
    pub(crate) fn draw<const NORMALS: bool>(
        self,
        shape: &Shape,
        fans: [usize; 2],
        random: &mut Random,
        put: &mut dyn FnMut(usize, f32),
    ) {
        let to = Drawn { len: shape.len(), put };
        let [fan_in, fan_out] = fans.map(|fan| fan as f64);
        let glorot = 2.0 / (fan_in + fan_out);
        let (he, lecun) = (2.0 / fan_in, 1.0 / fan_in);
        match self {
            Init::Zeros => to.fill(|_| 0.0),
            Init::Constant(value) => to.fill(|_| value),
            Init::Uniform(bound) => uniform(bound.into(), random, to),
            Init::Normal(deviation) if NORMALS => normal(deviation.into(), random, to),
            Init::GlorotUniform => uniform(libm::sqrt(3.0 * glorot), random, to),
            Init::HeUniform => uniform(libm::sqrt(3.0 * he), random, to),
            Init::LecunUniform => uniform(libm::sqrt(3.0 * lecun), random, to),
            Init::GlorotNormal if NORMALS => normal(libm::sqrt(glorot), random, to),
            Init::HeNormal if NORMALS => normal(libm::sqrt(he), random, to),
            Init::LecunNormal if NORMALS => normal(libm::sqrt(lecun), random, to),
            #[cfg(feature = "alloc")]
            Init::Orthogonal(gain) if NORMALS => {
                let rows = if shape.rank() < 2 { 1 } else { shape.dim(0) };
                orthogonal(gain.into(), rows, random, to);
            }
            // What needs memory, or what the network has none of.
            _ => {}
        }
    }
}

/// The fans of a weight `[out, in, …]`, whose further axes all belong to both. A vector is counted as its own
/// inputs and outputs.
pub(crate) const fn fans(shape: &Shape) -> [usize; 2] {
    let dims = shape.as_slice();
    let (mut receptive, mut i) = (1usize, 2);
    while i < dims.len() {
        // Where it overflows nothing is drawn: the fault is told elsewhere.
        receptive = receptive.saturating_mul(dims[i]);
        i += 1;
    }
    let out = if dims.is_empty() { 1 } else { dims[0].saturating_mul(receptive) };
    let fan_in = if dims.len() < 2 { out } else { dims[1].saturating_mul(receptive) };
    [fan_in, out]
}

/// A tensor to be drawn: how many numbers, and where each goes.
struct Drawn<'a> {
    len: usize,
    put: &'a mut dyn FnMut(usize, f32),
}

impl Drawn<'_> {
    fn fill(self, mut each: impl FnMut(usize) -> f32) {
        (0..self.len).for_each(|i| (self.put)(i, each(i)));
    }
}

fn uniform(bound: f64, random: &mut Random, to: Drawn) {
    to.fill(|_| (bound * (2.0 * random.unit() - 1.0)) as f32);
}

fn normal(deviation: f64, random: &mut Random, to: Drawn) {
    let mut pair = [0.0; 2];
    to.fill(|i| {
        if i % 2 == 0 {
            pair = random.normal_pair();
        }
        (deviation * pair[i % 2]) as f32
    });
}

/// Normal numbers, made orthogonal by Gram & Schmidt: what a QR decomposition gives whose diagonal is
/// positive.
#[cfg(feature = "alloc")]
fn orthogonal(gain: f64, rows: usize, random: &mut Random, to: Drawn) {
    let columns = to.len / rows.max(1);
    // As many vectors as the shorter side has, one after the other.
    let (count, len) = (rows.min(columns), rows.max(columns));
    let mut vectors = vec![0.0; count * len];
    for pair in vectors.chunks_mut(2) {
        pair.iter_mut().zip(random.normal_pair()).for_each(|(to, x)| *to = x);
    }
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for i in 0..count {
        let (before, rest) = vectors.split_at_mut(i * len);
        let one = &mut rest[..len];
        // The second time takes off what rounding has left.
        for _ in 0..2 {
            for other in before.chunks_exact(len) {
                let shared = dot(one, other);
                one.iter_mut().zip(other).for_each(|(one, other)| *one -= shared * other);
            }
            let length = libm::sqrt(dot(one, one));
            one.iter_mut().for_each(|one| *one /= length);
        }
    }
    to.fill(|i| {
        let (row, column) = (i / columns, i % columns);
        let at = if rows <= columns { row * len + column } else { column * len + row };
        (gain * vectors[at]) as f32
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn drawn(init: Init, shape: Shape) -> Vec<f64> {
        let mut values = vec![f32::NAN; shape.len()];
        init.draw::<true>(&shape, fans(&shape), &mut Random::keyed(7, &[]), &mut |i, x| values[i] = x);
        values.into_iter().map(f64::from).collect()
    }

    fn moments(values: &[f64]) -> (f64, f64) {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64)
    }

    #[test]
    fn variances_are_those_of_the_papers() {
        // [out, in, height, width]: fan_in = 30·9, fan_out = 20·9.
        let shape = Shape::of([20, 30, 3, 3]);
        let (fan_in, fan_out) = (270.0, 180.0);
        for (init, variance, uniform) in [
            (Init::GlorotUniform, 2.0 / (fan_in + fan_out), true),
            (Init::GlorotNormal, 2.0 / (fan_in + fan_out), false),
            (Init::HeUniform, 2.0 / fan_in, true),
            (Init::HeNormal, 2.0 / fan_in, false),
            (Init::LecunUniform, 1.0 / fan_in, true),
            (Init::LecunNormal, 1.0 / fan_in, false),
            (Init::Uniform(0.3), 0.03, true),
            (Init::Normal(0.3), 0.09, false),
        ] {
            let values = drawn(init, shape);
            let (mean, found) = moments(&values);
            // 5,400 draws: the deviation of the variance is below 2 %, that of the mean 1.4 % of the values'.
            assert!((found / variance - 1.0).abs() < 0.08, "{init:?}: {found} for {variance}");
            assert!(mean.abs() < 0.06 * variance.sqrt(), "{init:?}: mean {mean}");
            let largest = values.iter().fold(0.0f64, |a, v| a.max(v.abs()));
            let bound = (3.0 * variance).sqrt();
            assert_eq!(largest <= bound * (1.0 + 1e-6), uniform, "{init:?}: {largest} for {bound}");
        }
    }

    #[test]
    fn orthogonal_is_orthogonal() {
        for (dims, rows) in [([5, 8], 5), ([8, 5], 8), ([7, 7], 7), ([1, 9], 1), ([64, 16], 64)] {
            let values = drawn(Init::Orthogonal(1.5), Shape::of(dims));
            let columns = values.len() / rows;
            let at = |vector: usize, i: usize| {
                if rows <= columns { values[vector * columns + i] } else { values[i * columns + vector] }
            };
            for a in 0..rows.min(columns) {
                for b in 0..rows.min(columns) {
                    let product: f64 = (0..rows.max(columns)).map(|i| at(a, i) * at(b, i)).sum();
                    let truth = if a == b { 2.25 } else { 0.0 };
                    assert!((product - truth).abs() < 1e-5, "{dims:?}: {a} with {b} is {product}");
                }
            }
        }
        // Of filters, what is behind the first dimension is one row; a single number is its sign.
        let filters = drawn(Init::Orthogonal(1.0), Shape::of([2, 2, 3]));
        let product: f64 = filters[..6].iter().zip(&filters[6..]).map(|(a, b)| a * b).sum();
        assert!(product.abs() < 1e-6);
        assert!((drawn(Init::Orthogonal(1.0), Shape::of([1, 1]))[0].abs() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn constants_are_constant_and_odd_lengths_are_filled() {
        assert!(drawn(Init::Zeros, Shape::of([3, 5])).iter().all(|&v| v == 0.0));
        assert!(drawn(Init::Constant(2.5), Shape::of([7])).iter().all(|&v| v == 2.5));
        assert!(drawn(Init::Normal(1.0), Shape::of([7])).iter().all(|v| v.is_finite() && *v != 0.0));
    }

    /// Every model begins with such numbers: to change them has to be meant.
    #[test]
    fn what_is_drawn_stays_what_it_is() {
        let uniform = drawn(Init::GlorotUniform, Shape::of([2, 3]));
        let normal = drawn(Init::HeNormal, Shape::of([2, 3]));
        let bits = [uniform[0], uniform[5], normal[0], normal[5]].map(|x| x as f32);
        assert_eq!(bits, [-0.43076456, -0.41089234, -0.6867699, 0.49739113]);
    }

    /// A bias has one dimension: it is counted as its own inputs and outputs.
    #[test]
    fn vectors_have_a_fan_too() {
        let values = drawn(Init::GlorotUniform, Shape::of([4000]));
        assert!((moments(&values).1 * 4000.0 - 1.0).abs() < 0.1);
    }
}
