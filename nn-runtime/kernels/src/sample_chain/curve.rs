//! Functions of one number that are compiled within a chain: to call one takes as long as a few vectors of
//! it. In: vectors, or a slice; out: the function of every number.

use crate::elementwise::{Map, fill_in_place};
use crate::math;
use crate::simd::Simd;

/// A function of one number that a chain knows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ChainCurve {
    /// tanh(x)
    Tanh,
    /// 1 / (1 + e^−x)
    Sigmoid,
    /// x above 0, else alpha · (e^x − 1).
    Elu {
        /// How deep.
        alpha: f32,
    },
}

impl ChainCurve {
    /// Of all numbers of a slice.
    #[inline(always)]
    pub(crate) fn fill<S: Simd>(self, s: S, y: &mut [f32]) {
        match self {
            ChainCurve::Tanh => fill_in_place(s, &Tanh, y),
            ChainCurve::Sigmoid => fill_in_place(s, &Sigmoid, y),
            ChainCurve::Elu { alpha } => fill_in_place(s, &Elu(alpha), y),
        }
    }

    /// Of all lanes of vectors.
    #[inline(always)]
    pub(crate) fn values<S: Simd, const V: usize>(self, s: S, y: &mut [S::F; V]) {
        match self {
            ChainCurve::Tanh => each(s, &Tanh, y),
            ChainCurve::Sigmoid => each(s, &Sigmoid, y),
            ChainCurve::Elu { alpha } => each(s, &Elu(alpha), y),
        }
    }
}

#[inline(always)]
fn each<S: Simd, const V: usize>(s: S, f: &impl Map, y: &mut [S::F; V]) {
    for y in y {
        *y = f.apply(s, [*y]);
    }
}

struct Tanh;

impl Map for Tanh {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        math::tanh(s, x)
    }
}

struct Sigmoid;

impl Map for Sigmoid {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        math::sigmoid(s, x)
    }
}

struct Elu(f32);

impl Map for Elu {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        s.select(s.gt(x, s.splat(0.0)), x, s.mul(s.splat(self.0), math::expm1(s, x)))
    }
}
