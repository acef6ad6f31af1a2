//! What optimisers are made of: one pass over parameters, gradients and slots by a rule for one vector, and
//! helpers. In: a rule prepared for one step, an `Isa`, slices of one length; out: the slices, updated. A
//! rule works number by number, so that any cut of the slices gives the same bits. Slots are kept from
//! becoming denormal without touching the processor's floating-point control, which safe Rust may not do.

use super::elementwise::{ALIKE, Map};
use super::math;
use super::simd::{Isa, Kernel, LANES, Simd};

/// Slots are rounded as if they stood beside this number: to multiples of 2^-93, 1e-28.
///
/// A dead unit's moments decay until they are denormal, and then each operation on them costs up to a hundred
/// cycles: a third of a training step. Rounded, they come to rest: 0.9 of two multiples is two multiples,
/// 0.999 of 500 is 500. Such a moment over eps moves no parameter, and two additions cost less than a mask.
const BESIDE: f32 = f32::from_bits((127 - 70) << 23);

/// `x` rounded to a multiple of 2^-93, so that a slot that decays never becomes denormal.
#[inline(always)]
pub fn flush_denormals<S: Simd>(s: S, x: S::F) -> S::F {
    s.sub(s.add(x, s.splat(BESIDE)), s.splat(BESIDE))
}

/// What a gradient is held within, ±2^60: its square, times [`SQUARE_SCALE`], is still finite, so that a huge
/// gradient makes a step of the usual size instead of NaN.
const GRAD_LIMIT: f32 = f32::from_bits((127 + 60) << 23);

/// Mean squares are kept times this power of 4, so that those of gradients from 1e-18 to 1e18 are normal
/// numbers from the first step on.
pub const SQUARE_SCALE: f32 = 64.0;
/// 1 / √[`SQUARE_SCALE`]: what a root of such a square is multiplied by.
pub const SQUARE_ROOT_SCALE: f32 = 0.125;

/// Squares below this, 2^-125, are kept as 0: were they left to decay, they would become denormal.
const LEAST_SQUARE: f32 = f32::from_bits((127 - 125) << 23);

/// What the root is taken of where the square is 0: 1e-28, scaled. The root of that is nothing beside any
/// `eps` in use.
const SQUARE_OF_NOTHING: f32 = 64e-28;

/// `g` held within what can be squared; NaN stays NaN.
#[inline(always)]
pub fn limit_grad<S: Simd>(s: S, g: S::F) -> S::F {
    // The number stands second: where it is NaN, it is what is left.
    s.max(s.splat(-GRAD_LIMIT), s.min(s.splat(GRAD_LIMIT), g))
}

/// A mean or sum of squares, as it is kept and as [`div_by_sqrt`] takes it.
#[derive(Clone, Copy)]
pub struct Square<F> {
    /// 0 where it would become denormal.
    pub kept: F,
    /// Never 0.
    pub divisor: F,
}

/// `v`, for `v >= 0`, kept from becoming denormal.
#[inline(always)]
pub fn flush_square<S: Simd>(s: S, v: S::F) -> Square<S::F> {
    let tiny = s.lt(v, s.splat(LEAST_SQUARE));
    Square { kept: s.select(tiny, s.splat(0.0), v), divisor: s.select(tiny, s.splat(SQUARE_OF_NOTHING), v) }
}

/// a / (scale·√v + eps): an exact division and root would be most of an optimiser's time, so it takes the
/// near ones of [`Simd`].
#[inline(always)]
pub fn div_by_sqrt<S: Simd>(s: S, a: S::F, v: Square<S::F>, scale: f32, eps: f32) -> S::F {
    let root = s.near_sqrt(v.divisor);
    s.near_div(a, s.fma(root, s.splat(scale), s.splat(eps)))
}

/// The formula of one optimiser's step, with everything in it that is the same for all parameters. It keeps
/// `K` slots, numbers that it remembers, for each parameter. Implementors mark `step` `#[inline(always)]`.
pub trait UpdateRule<const K: usize>: Copy {
    /// The new parameters and slots of each lane, from the old ones and the gradients.
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, slots: [S::F; K]) -> (S::F, [S::F; K]);
}

struct Update<'a, R, const K: usize> {
    rule: R,
    params: &'a mut [f32],
    grads: &'a [f32],
    slots: [&'a mut [f32]; K],
}

impl<R: UpdateRule<K>, const K: usize> Kernel for Update<'_, R, K> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Update { rule, params, grads, mut slots } = self;
        if ALIKE {
            for (at, (p, g)) in (0..).step_by(LANES).zip(params.chunks_mut(LANES).zip(grads.chunks(LANES))) {
                let mut now = [s.splat(0.0); K];
                for (now, slot) in now.iter_mut().zip(&slots) {
                    *now = s.load_part(&slot[at..at + p.len()]);
                }
                let (new, after) = rule.step(s, s.load_part(p), s.load_part(g), now);
                for (after, slot) in after.into_iter().zip(&mut slots) {
                    s.store_part(after, &mut slot[at..at + p.len()]);
                }
                s.store_part(new, p);
            }
            return;
        }
        let (params, params_tail) = params.as_chunks_mut::<LANES>();
        let (grads, grads_tail) = grads.as_chunks::<LANES>();
        let mut slots = slots.map(|slot| slot.as_chunks_mut::<LANES>());
        for (i, (p, g)) in params.iter_mut().zip(grads).enumerate() {
            let mut now = [s.splat(0.0); K];
            for (now, slot) in now.iter_mut().zip(&slots) {
                *now = s.load(&slot.0[i]);
            }
            let (new, after) = rule.step(s, s.load(p), s.load(g), now);
            s.store(new, p);
            for (after, slot) in after.into_iter().zip(&mut slots) {
                s.store(after, &mut slot.0[i]);
            }
        }
        if !params_tail.is_empty() {
            let mut now = [s.splat(0.0); K];
            for (now, slot) in now.iter_mut().zip(&slots) {
                *now = s.load_part(slot.1);
            }
            let (new, after) = rule.step(s, s.load_part(params_tail), s.load_part(grads_tail), now);
            s.store_part(new, params_tail);
            for (after, slot) in after.into_iter().zip(&mut slots) {
                s.store_part(after, slot.1);
            }
        }
    }
}

/// One step of `rule` over all parameters.
///
/// # Panics
/// `grads` or a slot is not as long as `params`.
#[track_caller]
pub fn update<R: UpdateRule<K>, const K: usize>(
    isa: Isa,
    rule: R,
    params: &mut [f32],
    grads: &[f32],
    slots: [&mut [f32]; K],
) {
    assert_eq!(params.len(), grads.len(), "expected as many gradients as parameters");
    for slot in &slots {
        assert_eq!(params.len(), slot.len(), "expected slots as long as the parameters");
    }
    isa.run(Update { rule, params, grads, slots });
}

/// grads ← grads + l1·sign(params) + 2·l2·params: the gradient of l1·Σ|p| + l2·Σp², in Keras's form.
///
/// ```
/// use nn_kernels::{optimizer::add_penalty, simd::Isa};
///
/// let mut grads = [0.0, 0.0, 1.0];
/// add_penalty(Isa::detect(), 0.5, 0.25, &[2.0, 0.0, -4.0], &mut grads);
/// assert_eq!(grads, [1.5, 0.0, -1.5]);
/// ```
///
/// # Panics
/// Where `params.len() != grads.len()`.
pub fn add_penalty(isa: Isa, l1: f64, l2: f64, params: &[f32], grads: &mut [f32]) {
    isa.zip_in_place(&PenaltyGrad { l1: l1 as f32, twice_l2: (2.0 * l2) as f32 }, grads, params);
}

struct PenaltyGrad {
    l1: f32,
    twice_l2: f32,
}

impl Map<2> for PenaltyGrad {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [g, p]: [S::F; 2]) -> S::F {
        s.fma(s.splat(self.l1), math::sign(s, p), s.fma(s.splat(self.twice_l2), p, g))
    }
}

/// Each number held within ±`limit`; NaN stays NaN.
///
/// ```
/// use nn_kernels::{optimizer::clamp, simd::Isa};
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
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        // The number stands second: where it is NaN, it is what is left.
        s.max(s.splat(-self.0), s.min(s.splat(self.0), x))
    }
}

/// mean ← mean + rate·(now − mean): one step of an exponential moving average, kept from becoming denormal.
///
/// # Panics
/// Where `mean.len() != now.len()`.
pub fn update_ema(isa: Isa, rate: f64, now: &[f32], mean: &mut [f32]) {
    isa.zip_in_place(&Ema(rate as f32), mean, now);
}

struct Ema(f32);

impl Map<2> for Ema {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [mean, now]: [S::F; 2]) -> S::F {
        flush_denormals(s, s.fma(s.splat(self.0), s.sub(now, mean), mean))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_keep_what_is_no_number() {
        for isa in Isa::available() {
            let mut x = [1.0, f32::NAN, -3.0, f32::INFINITY, 0.5, f32::NEG_INFINITY, 2.0];
            clamp(isa, 2.0, &mut x);
            assert!(x[1].is_nan(), "{}: {x:?}", isa.name());
            x[1] = 0.0;
            assert_eq!(x, [1.0, 0.0, -2.0, 2.0, 0.5, -2.0, 2.0], "{}", isa.name());
        }
    }

    #[derive(Clone, Copy)]
    struct Count;
    impl UpdateRule<1> for Count {
        #[inline(always)]
        fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [n]: [S::F; 1]) -> (S::F, [S::F; 1]) {
            let n = s.add(n, s.splat(1.0));
            (s.fma(g, n, p), [n])
        }
    }

    #[test]
    fn every_number_is_stepped_once_and_none_past_the_end() {
        for isa in Isa::available() {
            for n in [0, 1, 15, 16, 17, 33] {
                let (mut p, mut slot) = ([1.0; 40], [2.0; 40]);
                update(isa, Count, &mut p[..n], &[0.5; 40][..n], [&mut slot[..n]]);
                for i in 0..40 {
                    let expected = if i < n { (2.5, 3.0) } else { (1.0, 2.0) };
                    assert_eq!((p[i], slot[i]), expected, "{} {n} {i}", isa.name());
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "expected slots as long as the parameters")]
    fn lengths_must_agree() {
        update(Isa::PORTABLE, Count, &mut [0.0; 4], &[0.0; 4], [&mut [0.0; 3]]);
    }
}
