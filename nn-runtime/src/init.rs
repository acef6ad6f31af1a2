//! What parameters begin with. In: a distribution, a standard shape and a generator; out: row-major numbers.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use crate::shape::Shape;

/// The distribution a parameter is drawn from when a model begins.
///
/// With `fan_in` inputs and `fan_out` outputs, which for a weight `[out, in, …]` are `in·…` and `out·…`:
///
/// | | variance | paper |
/// |---|---|---|
/// | Glorot | 2 / (fan_in + fan_out) | Glorot & Bengio 2010 |
/// | He | 2 / fan_in | He et al. 2015 |
/// | LeCun | 1 / fan_in | LeCun et al. 1998 |
///
/// Uniform ones span ±√(3·variance); normal ones are not truncated (as in PyTorch; Keras truncates at two deviations).
#[derive(Clone, Copy, PartialEq, Debug)]
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
}

impl Init {
    /// Fills a tensor of this standard shape.
    pub(crate) fn draw(self, shape: &Shape, rng: &mut Pcg64Mcg, to: &mut [f32]) {
        let dims = shape.as_slice();
        let receptive: usize = dims.iter().skip(2).product();
        let fan_out = dims.first().copied().unwrap_or(1) * receptive;
        let fan_in = dims.get(1).copied().unwrap_or(fan_out) * receptive;
        let (fan_in, fan_out) = (fan_in as f64, fan_out as f64);
        let glorot = 2.0 / (fan_in + fan_out);
        let (he, lecun) = (2.0 / fan_in, 1.0 / fan_in);
        match self {
            Init::Zeros => to.fill(0.0),
            Init::Constant(value) => to.fill(value),
            Init::Uniform(bound) => uniform(bound.into(), rng, to),
            Init::Normal(deviation) => normal(deviation.into(), rng, to),
            Init::GlorotUniform => uniform(sqrt(3.0 * glorot), rng, to),
            Init::HeUniform => uniform(sqrt(3.0 * he), rng, to),
            Init::LecunUniform => uniform(sqrt(3.0 * lecun), rng, to),
            Init::GlorotNormal => normal(sqrt(glorot), rng, to),
            Init::HeNormal => normal(sqrt(he), rng, to),
            Init::LecunNormal => normal(sqrt(lecun), rng, to),
        }
    }
}

fn uniform(bound: f64, rng: &mut Pcg64Mcg, to: &mut [f32]) {
    for to in to {
        let unit: f64 = rng.random();
        *to = (bound * (2.0 * unit - 1.0)) as f32;
    }
}

/// Marsaglia's polar method: exact, and it needs no trigonometry.
fn normal(deviation: f64, rng: &mut Pcg64Mcg, to: &mut [f32]) {
    for pair in to.chunks_mut(2) {
        let (a, b) = loop {
            let (u, v): (f64, f64) = (2.0 * rng.random::<f64>() - 1.0, 2.0 * rng.random::<f64>() - 1.0);
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let by = deviation * sqrt(-2.0 * libm::log(s) / s);
                break (u * by, v * by);
            }
        };
        pair[0] = a as f32;
        if let Some(second) = pair.get_mut(1) {
            *second = b as f32;
        }
    }
}

fn sqrt(x: f64) -> f64 {
    libm::sqrt(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use rand::SeedableRng;

    fn drawn(init: Init, shape: Shape) -> Vec<f64> {
        let mut values = vec![f32::NAN; shape.len()];
        init.draw(&shape, &mut Pcg64Mcg::seed_from_u64(7), &mut values);
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
    fn constants_are_constant_and_odd_lengths_are_filled() {
        assert!(drawn(Init::Zeros, Shape::of([3, 5])).iter().all(|&v| v == 0.0));
        assert!(drawn(Init::Constant(2.5), Shape::of([7])).iter().all(|&v| v == 2.5));
        assert!(drawn(Init::Normal(1.0), Shape::of([7])).iter().all(|v| v.is_finite() && *v != 0.0));
    }

    /// A bias has one dimension: it is counted as its own inputs and outputs.
    #[test]
    fn vectors_have_a_fan_too() {
        let values = drawn(Init::GlorotUniform, Shape::of([4000]));
        assert!((moments(&values).1 * 4000.0 - 1.0).abs() < 0.1);
    }
}
