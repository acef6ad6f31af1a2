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
