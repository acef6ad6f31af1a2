//! Both ways through a chain. Lengths have been compared where these are made.

use super::{TrainChain, TrainPass, TrainWork};
use crate::dropout::Dropout;
use crate::elementwise::{Map, fill, zip_in_place};
use crate::long_sums::RowSums;
use crate::matrix::{BackwardInput, LayerGrad, Product};
use crate::simd::{Kernel, Simd};

/// A number times what dropout multiplies it by: 0 where it is dropped, whatever it is.
struct Times;

impl Map<2> for Times {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [factor, x]: [S::F; 2]) -> S::F {
        let zero = s.splat(0.0);
        s.select(s.eq(factor, zero), zero, s.mul(x, factor))
    }
}

pub(super) struct Forward<'a> {
    pub chain: &'a TrainChain,
    pub pass: &'a TrainPass<'a>,
    pub y: &'a mut [f32],
    pub memory: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Forward { chain, pass, y, memory } = self;
        let batch = pass.batch;
        let (mut rest, gradients) = memory.split_at_mut(chain.values(batch));
        let (mut x, mut y, mut at, mut before) = (pass.x, y, 0, 0);
        for (i, step) in chain.steps.iter().enumerate() {
            let to = match i + 1 == chain.steps.len() {
                true => core::mem::take(&mut y),
                false => {
                    let (to, after) = rest.split_at_mut(step.room(batch));
                    rest = after;
                    &mut to[..step.numbers(batch)]
                }
            };
            // Where the gradient of `x` will lie, if it is wanted: until then it is free.
            let dx = &mut gradients[before..before + if i == 0 { 0 } else { x.len() }];
            (before, at) = (at, at + step.room(batch));
            match step.work {
                TrainWork::Product { panels, weight, bias, floor } => {
                    let w = &pass.params[weight..weight + panels.len()];
                    let bias = bias.map(|bias| &pass.params[bias..bias + panels.cols()]);
                    Product { p: panels, batch, x, w, bias, floor, y: &mut *to }.call(s);
                }
                TrainWork::Copy => to.copy_from_slice(x),
                // What it drops is drawn once for both ways.
                TrainWork::Dropout { rate, site } => {
                    let rng = pass.rng.fold_in(&[site]);
                    match dx {
                        [] => s.call(Dropout::new(rng, 0, step.len, rate, x, &mut *to)),
                        factors => {
                            to.fill(1.0);
                            s.call(Dropout::new(rng, 0, step.len, rate, to, &mut *factors));
                            fill(s, &Times, [factors, x], to);
                        }
                    }
                }
            }
            if let Some(curve) = &step.curve
                && let Some(run) = curve.run
            {
                run(pass.isa, &curve.settings, to);
            }
            x = to;
        }
    }
}

pub(super) struct Backward<'a> {
    pub chain: &'a TrainChain,
    pub pass: &'a TrainPass<'a>,
    pub y: &'a [f32],
    pub dy: &'a mut [f32],
    pub grads: &'a mut [f32],
    pub unit: usize,
    pub memory: &'a mut [f32],
    pub scratch: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Backward { chain, pass, y, dy, grads, unit, memory, scratch } = self;
        let batch = pass.batch;
        let Some(first) = chain.first else { return };
        // Each value's gradient lies as far behind the first one's as the value behind the first.
        let (values, gradients) = memory.split_at_mut(chain.values(batch));
        let (mut at, mut y) = (values.len(), y);
        let sums = RowSums { isa: pass.isa, rows: batch, unit };
        for (i, step) in chain.steps.iter().enumerate().skip(first).rev() {
            let last = i + 1 == chain.steps.len();
            let (earlier, own) = gradients.split_at_mut(at);
            let d = if last { &mut *dy } else { &mut own[..step.numbers(batch)] };
            let (x, dx) = match i.checked_sub(1).map(|i| &chain.steps[i]) {
                Some(before) => {
                    at -= before.room(batch);
                    let place = at..at + before.numbers(batch);
                    (&values[place.clone()], &mut earlier[place])
                }
                None => (pass.x, &mut [][..]),
            };
            if let Some(curve) = &step.curve {
                (curve.gradient)(pass.isa, &curve.settings, if curve.from_output { y } else { x }, d);
            }
            y = x;
            match step.work {
                TrainWork::Product { panels, weight, bias, .. } => {
                    let grad = LayerGrad { sums, p: panels, x, dy: d };
                    grad.weight(s, &mut grads[weight..weight + panels.len()]);
                    if let Some(bias) = bias {
                        grad.bias(s, &mut grads[bias..bias + panels.cols()]);
                    }
                    if i != first {
                        let w = &pass.params[weight..weight + panels.len()];
                        s.call(BackwardInput { p: panels, batch, dy: d, w, dx, scratch: &mut *scratch });
                    }
                }
                TrainWork::Copy => dx.copy_from_slice(d),
                TrainWork::Dropout { .. } => zip_in_place(s, &Times, dx, d),
            }
        }
    }
}
