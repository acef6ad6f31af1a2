//! The inner loops of the optimisers: one pass over parameters, gradients and what the optimiser remembers.
//! Comes in: a rule prepared for one step, an `Isa`, slices of one length, any part of the whole (of Lamb and
//! Muon a whole tensor); goes out: the slices, updated.
//! Formulas, defaults aside, are PyTorch's. What is remembered is kept from becoming denormal: see `BESIDE`.
//! Never a choice between formulas inside the loop, and never a change to the CPU's floating-point control.

mod adam;
mod around;
mod gradient;
mod lamb;
mod lion;
mod muon;
mod nadam;
mod norm;
mod scaled;
#[cfg(test)]
mod tests;

use super::simd::{Isa, Kernel, LANES, Simd};

pub use adam::AdamStep;
pub use around::{add_penalty, clamp, follow, shrink_and_step};
pub use gradient::{MomentumStep, SgdStep};
pub use lamb::LambStep;
pub use lion::LionStep;
pub use muon::{NewtonSchulz, orthogonalize, orthogonalize_scratch};
pub use nadam::NadamStep;
pub use norm::{sum_of_sizes, sum_of_squares};
pub use scaled::{AdagradStep, RmspropMomentumStep, RmspropStep};

/// What is remembered is rounded as beside this number: to multiples of 2^-93, 1e-28.
///
/// A dead unit's moments decay until they are denormal, and then each operation on them costs up to a hundred cycles: a third
/// of a training step. The control register that would prevent it may not be touched from Rust. Rounded, they come to rest: 0.9 of two
/// multiples is two multiples, 0.999 of 500 is 500. Such a moment over eps moves no parameter, and two additions cost less than a mask.
const BESIDE: f32 = f32::from_bits((127 - 70) << 23);

/// `x` without what is tiny: see [`BESIDE`].
#[inline(always)]
fn without_tiny<S: Simd>(s: S, x: S::F) -> S::F {
    s.sub(s.add(x, s.splat(BESIDE)), s.splat(BESIDE))
}

/// a / (scale·√v + eps), for `v >= 0`: a division and a root would be most of an optimiser's time, so it does with near ones.
///
/// A `v` that is 0 is taken for 1e-28: its root is nothing beside any `eps` in use, and refining it makes no denormals.
#[inline(always)]
fn over_root<S: Simd>(s: S, a: S::F, v: S::F, scale: f32, eps: f32) -> S::F {
    let root = s.near_sqrt(s.max(s.splat(1e-28), v));
    s.near_div(a, s.fma(root, s.splat(scale), s.splat(eps)))
}

/// The formula of one optimiser, which remembers `K` numbers for each parameter.
trait Rule<const K: usize>: Copy {
    /// The new parameters and memories.
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, state: [S::F; K]) -> (S::F, [S::F; K]);
}

struct Walk<'a, R, const K: usize> {
    rule: R,
    params: &'a mut [f32],
    grads: &'a [f32],
    state: [&'a mut [f32]; K],
}

impl<R: Rule<K>, const K: usize> Kernel for Walk<'_, R, K> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Walk { rule, params, grads, state } = self;
        let (params, params_tail) = params.as_chunks_mut::<LANES>();
        let (grads, grads_tail) = grads.as_chunks::<LANES>();
        let mut state = state.map(|part| part.as_chunks_mut::<LANES>());
        for (i, (p, g)) in params.iter_mut().zip(grads).enumerate() {
            let mut now = [s.splat(0.0); K];
            for (now, part) in now.iter_mut().zip(&state) {
                *now = s.load(&part.0[i]);
            }
            let (new, after) = rule.step(s, s.load(p), s.load(g), now);
            s.store(new, p);
            for (after, part) in after.into_iter().zip(&mut state) {
                s.store(after, &mut part.0[i]);
            }
        }
        if !params_tail.is_empty() {
            let mut now = [s.splat(0.0); K];
            for (now, part) in now.iter_mut().zip(&state) {
                *now = s.load_part(part.1);
            }
            let (new, after) = rule.step(s, s.load_part(params_tail), s.load_part(grads_tail), now);
            s.store_part(new, params_tail);
            for (after, part) in after.into_iter().zip(&mut state) {
                s.store_part(after, part.1);
            }
        }
    }
}

#[track_caller]
fn walk<R: Rule<K>, const K: usize>(isa: Isa, rule: R, params: &mut [f32], grads: &[f32], state: [&mut [f32]; K]) {
    assert_eq!(params.len(), grads.len(), "expected as many gradients as parameters");
    for part in &state {
        assert_eq!(params.len(), part.len(), "expected as many remembered numbers as parameters");
    }
    isa.run(Walk { rule, params, grads, state });
}
