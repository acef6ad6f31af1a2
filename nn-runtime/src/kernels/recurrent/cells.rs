//! The cells: what each makes of its gates, and backward. Comes in: one vector of each gate; goes out: the same of states, or
//! gradients. Orders of gates are PyTorch's. Never a product, and never a loop.

use super::{Cell, Gates, Kept, Pulled};
use crate::kernels::math::{sigmoid, tanh};
use crate::kernels::simd::Simd;

/// h' = tanh(x + h).
#[derive(Clone, Copy, Debug)]
pub struct Rnn;

/// r = σ(x₀ + h₀), z = σ(x₁ + h₁), n = tanh(x₂ + r·h₂), h' = n + z·(h − n).
#[derive(Clone, Copy, Debug)]
pub struct Gru;

/// i = σ(x₀ + h₀), f = σ(x₁ + h₁), g = tanh(x₂ + h₂), o = σ(x₃ + h₃), c' = f·c + i·g, h' = o·tanh(c').
#[derive(Clone, Copy, Debug)]
pub struct Lstm;

/// dy·y·(1 − y), the gradient through y = σ(x).
#[inline(always)]
fn through_sigmoid<S: Simd>(s: S, dy: S::F, y: S::F) -> S::F {
    s.mul(s.mul(dy, y), s.sub(s.splat(1.0), y))
}

/// dy·(1 − y²), the gradient through y = tanh(x).
#[inline(always)]
fn through_tanh<S: Simd>(s: S, dy: S::F, y: S::F) -> S::F {
    s.mul(dy, s.fma(s.neg(y), y, s.splat(1.0)))
}

#[inline(always)]
fn none<S: Simd>(s: S) -> Gates<S::F> {
    [s.splat(0.0); 4]
}

impl Cell for Rnn {
    const GATES: usize = 1;
    const STATES: usize = 1;
    const EXTRAS: usize = 0;
    const SPLIT: bool = false;

    #[inline(always)]
    fn forward<S: Simd>(s: S, x: Gates<S::F>, h: Gates<S::F>, _: [S::F; 2]) -> (Kept<S::F>, [S::F; 2]) {
        let y = tanh(s, s.add(x[0], h[0]));
        let mut gates = none(s);
        gates[0] = y;
        (Kept { gates, extras: none(s) }, [y, s.splat(0.0)])
    }

    #[inline(always)]
    fn backward<S: Simd>(s: S, kept: Kept<S::F>, _: S::F, [dh, _]: [S::F; 2]) -> Pulled<S::F> {
        let mut gates = none(s);
        gates[0] = through_tanh(s, dh, kept.gates[0]);
        Pulled { x: gates, h: gates, state: [s.splat(0.0); 2] }
    }
}

impl Cell for Gru {
    const GATES: usize = 3;
    const STATES: usize = 1;
    const EXTRAS: usize = 3;
    const SPLIT: bool = true;

    #[inline(always)]
    fn forward<S: Simd>(s: S, x: Gates<S::F>, h: Gates<S::F>, state: [S::F; 2]) -> (Kept<S::F>, [S::F; 2]) {
        let mut kept = Kept { gates: none(s), extras: none(s) };
        let r = sigmoid(s, s.add(x[0], h[0]));
        let z = sigmoid(s, s.add(x[1], h[1]));
        let n = tanh(s, s.fma(r, h[2], x[2]));
        kept.gates = [r, z, n, kept.gates[3]];
        kept.extras[2] = h[2];
        (kept, [s.fma(z, s.sub(state[0], n), n), s.splat(0.0)])
    }

    #[inline(always)]
    fn backward<S: Simd>(s: S, kept: Kept<S::F>, before: S::F, [dh, _]: [S::F; 2]) -> Pulled<S::F> {
        let ([r, z, n, _], product) = (kept.gates, kept.extras[2]);
        let dn = through_tanh(s, s.mul(dh, s.sub(s.splat(1.0), z)), n);
        let dz = through_sigmoid(s, s.mul(dh, s.sub(before, n)), z);
        let dr = through_sigmoid(s, s.mul(dn, product), r);
        let nothing = s.splat(0.0);
        Pulled { x: [dr, dz, dn, nothing], h: [dr, dz, s.mul(dn, r), nothing], state: [s.mul(dh, z), nothing] }
    }
}

impl Cell for Lstm {
    const GATES: usize = 4;
    const STATES: usize = 2;
    const EXTRAS: usize = 2;
    const SPLIT: bool = false;

    #[inline(always)]
    fn forward<S: Simd>(s: S, x: Gates<S::F>, h: Gates<S::F>, [_, c]: [S::F; 2]) -> (Kept<S::F>, [S::F; 2]) {
        let i = sigmoid(s, s.add(x[0], h[0]));
        let f = sigmoid(s, s.add(x[1], h[1]));
        let g = tanh(s, s.add(x[2], h[2]));
        let o = sigmoid(s, s.add(x[3], h[3]));
        let new = s.fma(f, c, s.mul(i, g));
        let seen = tanh(s, new);
        let mut extras = none(s);
        (extras[0], extras[1]) = (c, seen);
        (Kept { gates: [i, f, g, o], extras }, [s.mul(o, seen), new])
    }

    #[inline(always)]
    fn backward<S: Simd>(s: S, kept: Kept<S::F>, _: S::F, [dh, dc]: [S::F; 2]) -> Pulled<S::F> {
        let ([i, f, g, o], [c, seen, ..]) = (kept.gates, kept.extras);
        let dc = s.add(dc, through_tanh(s, s.mul(dh, o), seen));
        let gates = [
            through_sigmoid(s, s.mul(dc, g), i),
            through_sigmoid(s, s.mul(dc, c), f),
            through_tanh(s, s.mul(dc, i), g),
            through_sigmoid(s, s.mul(dh, seen), o),
        ];
        Pulled { x: gates, h: gates, state: [s.splat(0.0), s.mul(dc, f)] }
    }
}
