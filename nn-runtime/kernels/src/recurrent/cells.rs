//! The elementwise part of each cell, forward and backward, with gates in PyTorch's order.
//! In: one vector of each gate. Out: one vector of each state, or of gradients.

use super::{Cell, CellGrad, CellKind, Gates, Halfway};
use crate::math::{Fraction, quotient, sigmoid_inverses, tanh_fraction};
use crate::simd::Simd;

/// h' = tanh(x + h).
#[derive(Clone, Copy, Debug)]
pub struct Rnn;

/// h' = max(x + h, 0).
#[derive(Clone, Copy, Debug)]
pub struct ReluRnn;

/// r = σ(x₀ + h₀), z = σ(x₁ + h₁), n = tanh(x₂ + r·h₂), h' = n + z·(h − n).
#[derive(Clone, Copy, Debug)]
pub struct Gru;

/// r = σ(x₀ + h₀), z = σ(x₁ + h₁), n = tanh(x₂ + h₂), h' = n + z·(h − n), where h₂ is the product of r·h.
#[derive(Clone, Copy, Debug)]
pub struct ResetFirstGru;

/// i = σ(x₀ + h₀), f = σ(x₁ + h₁), g = tanh(x₂ + h₂), o = σ(x₃ + h₃), c' = f·c + i·g, h' = o·tanh(c').
#[derive(Clone, Copy, Debug)]
pub struct Lstm;

/// dy·y·(1 − y), the gradient through y = σ(x).
#[inline(always)]
pub(super) fn through_sigmoid<S: Simd>(s: S, dy: S::F, y: S::F) -> S::F {
    s.mul(s.mul(dy, y), s.sub(s.splat(1.0), y))
}

/// dy·(1 − y²), the gradient through y = tanh(x).
#[inline(always)]
pub(super) fn through_tanh<S: Simd>(s: S, dy: S::F, y: S::F) -> S::F {
    s.mul(dy, s.fma(s.neg(y), y, s.splat(1.0)))
}

#[inline(always)]
fn none<S: Simd>(s: S) -> Gates<S::F> {
    [s.splat(0.0); 4]
}

#[inline(always)]
fn tanh<S: Simd>(s: S, x: S::F) -> S::F {
    quotient(s, tanh_fraction(s, x))
}

impl Cell for Rnn {
    const KIND: CellKind = CellKind::Rnn;
    const GATES: usize = 1;
    const STATES: usize = 1;
    const SPLIT: bool = false;

    #[inline(always)]
    fn gates<S: Simd>(s: S, _: Gates<S::F>, _: Gates<S::F>, _: [S::F; 2]) -> Halfway<S::F> {
        [s.splat(0.0); 4]
    }

    #[inline(always)]
    fn output<S: Simd>(
        s: S,
        _: Halfway<S::F>,
        [x, ..]: Gates<S::F>,
        _: Gates<S::F>,
        _: [S::F; 2],
    ) -> (Gates<S::F>, [S::F; 2]) {
        let y = tanh(s, x);
        let mut gates = none(s);
        gates[0] = y;
        (gates, [y, s.splat(0.0)])
    }

    #[inline(always)]
    fn backward<S: Simd>(s: S, [y, ..]: Gates<S::F>, _: S::F, _: S::F, [dh, _]: [S::F; 2]) -> CellGrad<S::F> {
        let mut gates = none(s);
        gates[0] = through_tanh(s, dh, y);
        CellGrad { x: gates, h: gates, state: [s.splat(0.0); 2], output: y }
    }
}

impl Cell for ReluRnn {
    const KIND: CellKind = CellKind::ReluRnn;
    const GATES: usize = 1;
    const STATES: usize = 1;
    const SPLIT: bool = false;

    #[inline(always)]
    fn gates<S: Simd>(s: S, _: Gates<S::F>, _: Gates<S::F>, _: [S::F; 2]) -> Halfway<S::F> {
        [s.splat(0.0); 4]
    }

    #[inline(always)]
    fn output<S: Simd>(
        s: S,
        _: Halfway<S::F>,
        [x, ..]: Gates<S::F>,
        _: Gates<S::F>,
        _: [S::F; 2],
    ) -> (Gates<S::F>, [S::F; 2]) {
        // The limit stands first: NaN stays.
        let y = s.max(s.splat(0.0), x);
        let mut gates = none(s);
        gates[0] = y;
        (gates, [y, s.splat(0.0)])
    }

    #[inline(always)]
    fn backward<S: Simd>(s: S, [y, ..]: Gates<S::F>, _: S::F, _: S::F, [dh, _]: [S::F; 2]) -> CellGrad<S::F> {
        let mut gates = none(s);
        gates[0] = s.select(s.gt(y, s.splat(0.0)), dh, s.splat(0.0));
        CellGrad { x: gates, h: gates, state: [s.splat(0.0); 2], output: y }
    }
}

/// The second half of both Grus, from the argument of n on: one division.
#[inline(always)]
fn gru_output<S: Simd>(s: S, r: S::F, z: S::F, n: S::F, old: S::F) -> (Gates<S::F>, [S::F; 2]) {
    let Fraction { above, below } = tanh_fraction(s, n);
    // 1 + e^−z, so that z is its inverse, and 1 − z what it is above 1 times that.
    let [inverse] = sigmoid_inverses(s, [z]);
    let both = s.div(s.splat(1.0), s.mul(below, inverse));
    let sum = s.fma(above, s.sub(inverse, s.splat(1.0)), s.mul(old, below));
    let gates = [r, s.mul(both, below), s.mul(both, s.mul(above, inverse)), s.splat(0.0)];
    (gates, [s.mul(sum, both), s.splat(0.0)])
}

/// The first half of both Grus.
#[inline(always)]
fn gru_gates<S: Simd>(s: S, sum: S::F) -> Halfway<S::F> {
    let [inverse] = sigmoid_inverses(s, [sum]);
    let mut halfway = [s.splat(0.0); 4];
    halfway[0] = s.div(s.splat(1.0), inverse);
    halfway
}

impl Cell for Gru {
    const KIND: CellKind = CellKind::Gru;
    const GATES: usize = 3;
    const STATES: usize = 1;
    const SPLIT: bool = true;

    #[inline(always)]
    fn gates<S: Simd>(s: S, x: Gates<S::F>, h: Gates<S::F>, _: [S::F; 2]) -> Halfway<S::F> {
        gru_gates(s, s.add(x[0], h[0]))
    }

    #[inline(always)]
    fn output<S: Simd>(
        s: S,
        [r, ..]: Halfway<S::F>,
        x: Gates<S::F>,
        h: Gates<S::F>,
        state: [S::F; 2],
    ) -> (Gates<S::F>, [S::F; 2]) {
        gru_output(s, r, s.add(x[1], h[1]), s.fma(r, h[2], x[2]), state[0])
    }

    #[inline(always)]
    fn backward<S: Simd>(
        s: S,
        [r, z, n, _]: Gates<S::F>,
        product: S::F,
        before: S::F,
        [dh, _]: [S::F; 2],
    ) -> CellGrad<S::F> {
        let dn = through_tanh(s, s.mul(dh, s.sub(s.splat(1.0), z)), n);
        let dz = through_sigmoid(s, s.mul(dh, s.sub(before, n)), z);
        let dr = through_sigmoid(s, s.mul(dn, product), r);
        let nothing = s.splat(0.0);
        let (x, h) = ([dr, dz, dn, nothing], [dr, dz, s.mul(dn, r), nothing]);
        CellGrad { x, h, state: [s.mul(dh, z), nothing], output: nothing }
    }
}

impl Cell for ResetFirstGru {
    const KIND: CellKind = CellKind::Gru;
    const GATES: usize = 3;
    const STATES: usize = 1;
    const SPLIT: bool = true;
    const RESETS_FIRST: bool = true;

    #[inline(always)]
    fn gates<S: Simd>(s: S, x: Gates<S::F>, h: Gates<S::F>, _: [S::F; 2]) -> Halfway<S::F> {
        gru_gates(s, s.add(x[0], h[0]))
    }

    #[inline(always)]
    fn output<S: Simd>(
        s: S,
        [r, ..]: Halfway<S::F>,
        x: Gates<S::F>,
        h: Gates<S::F>,
        state: [S::F; 2],
    ) -> (Gates<S::F>, [S::F; 2]) {
        gru_output(s, r, s.add(x[1], h[1]), s.add(x[2], h[2]), state[0])
    }

    fn backward<S: Simd>(_: S, _: Gates<S::F>, _: S::F, _: S::F, _: [S::F; 2]) -> CellGrad<S::F> {
        unreachable!("its products are two, one after the other: see `reset_first`");
    }
}

impl Cell for Lstm {
    const KIND: CellKind = CellKind::Lstm;
    const GATES: usize = 4;
    const STATES: usize = 2;
    const SPLIT: bool = false;

    #[inline(always)]
    fn gates<S: Simd>(s: S, x: Gates<S::F>, _: Gates<S::F>, [_, c]: [S::F; 2]) -> Halfway<S::F> {
        let [i, f] = sigmoid_inverses(s, [x[0], x[1]]);
        let Fraction { above, below } = tanh_fraction(s, x[2]);
        // c/f + above/(i·below), by one division.
        let of_input = s.mul(i, below);
        let all = s.div(s.splat(1.0), s.mul(of_input, f));
        let new = s.mul(s.fma(c, of_input, s.mul(above, f)), all);
        [new, s.mul(all, s.mul(below, f)), s.mul(all, of_input), s.mul(above, s.mul(all, s.mul(i, f)))]
    }

    #[inline(always)]
    fn output<S: Simd>(
        s: S,
        [new, i, f, g, ..]: Halfway<S::F>,
        [.., o]: Gates<S::F>,
        _: Gates<S::F>,
        _: [S::F; 2],
    ) -> (Gates<S::F>, [S::F; 2]) {
        let [o] = sigmoid_inverses(s, [o]);
        let Fraction { above, below } = tanh_fraction(s, new);
        let both = s.div(s.splat(1.0), s.mul(below, o));
        ([i, f, g, s.mul(both, below)], [s.mul(above, both), new])
    }

    #[inline(always)]
    fn backward<S: Simd>(s: S, [i, f, g, o]: Gates<S::F>, _: S::F, c: S::F, [dh, dc]: [S::F; 2]) -> CellGrad<S::F> {
        // Recomputing is cheaper than loading it.
        let seen = tanh(s, s.fma(f, c, s.mul(i, g)));
        let dc = s.add(dc, through_tanh(s, s.mul(dh, o), seen));
        let gates = [
            through_sigmoid(s, s.mul(dc, g), i),
            through_sigmoid(s, s.mul(dc, c), f),
            through_tanh(s, s.mul(dc, i), g),
            through_sigmoid(s, s.mul(dh, seen), o),
        ];
        CellGrad { x: gates, h: gates, state: [s.splat(0.0), s.mul(dc, f)], output: s.mul(o, seen) }
    }
}
