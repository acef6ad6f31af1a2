//! Single passes around an optimiser's formula: penalties, limits, averages, a step along a direction.
//! Comes in: an `Isa`, factors and slices; goes out: one slice, changed.
//! Never a number other than 0 where all that comes in is 0, so that padding stays what it is.

use super::lion::sign;
use crate::elementwise::{Map, Zip};
use crate::simd::{Isa, Simd};

/// grads ← grads + l1·sign(params) + 2·l2·params: the gradient of l1·Σ|p| + l2·Σp², in Keras's form.
///
/// ```
/// use nn_kernels::{simd::Isa, update::add_penalty};
///
/// let mut grads = [0.0, 0.0, 1.0];
/// add_penalty(Isa::detect(), 0.5, 0.25, &[2.0, 0.0, -4.0], &mut grads);
/// assert_eq!(grads, [1.5, 0.0, -1.5]);
/// ```
///
/// # Panics
/// Where `params.len() != grads.len()`.
pub fn add_penalty(isa: Isa, l1: f64, l2: f64, params: &[f32], grads: &mut [f32]) {
    isa.zip_in_place(&Penalty { l1: l1 as f32, twice_l2: (2.0 * l2) as f32 }, grads, params);
}

struct Penalty {
    l1: f32,
    twice_l2: f32,
}

impl Zip for Penalty {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, g: S::F, p: S::F) -> S::F {
        s.fma(s.splat(self.l1), sign(s, p), s.fma(s.splat(self.twice_l2), p, g))
    }
}

/// Each number held within ±`limit`; NaN stays NaN.
///
/// ```
/// use nn_kernels::{simd::Isa, update::clamp};
///
/// let mut grads = [0.5, -8.0, 3.0];
/// clamp(Isa::detect(), 2.0, &mut grads);
/// assert_eq!(grads, [0.5, -2.0, 2.0]);
/// ```
pub fn clamp(isa: Isa, limit: f32, grads: &mut [f32]) {
    isa.map_in_place(&Clamp(limit), grads);
}

struct Clamp(f32);

impl Map for Clamp {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, x: S::F) -> S::F {
        // The number stands second: where it is NaN, it is what is left.
        s.max(s.splat(-self.0), s.min(s.splat(self.0), x))
    }
}

/// mean ← mean + share·(now − mean): what an average of parameters, or of gradients, is moved by.
///
/// It is kept from becoming denormal, as all that is remembered.
///
/// # Panics
/// Where `mean.len() != now.len()`.
pub fn follow(isa: Isa, share: f64, now: &[f32], mean: &mut [f32]) {
    isa.zip_in_place(&Follow(share as f32), mean, now);
}

struct Follow(f32);

impl Zip for Follow {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, mean: S::F, now: S::F) -> S::F {
        super::without_tiny(s, s.fma(s.splat(self.0), s.sub(now, mean), mean))
    }
}

/// params ← shrink·params − rate·way.
///
/// # Panics
/// Where `params.len() != way.len()`.
pub fn shrink_and_step(isa: Isa, shrink: f64, rate: f64, way: &[f32], params: &mut [f32]) {
    isa.zip_in_place(&ShrinkAndStep { shrink: shrink as f32, rate: rate as f32 }, params, way);
}

struct ShrinkAndStep {
    shrink: f32,
    rate: f32,
}

impl Zip for ShrinkAndStep {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, p: S::F, way: S::F) -> S::F {
        s.fma(s.splat(-self.rate), way, s.mul(p, s.splat(self.shrink)))
    }
}
