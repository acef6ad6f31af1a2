//! Claims that only the runtime's own layers can make, made falsely: what `Probe` says about them.

use alloc::vec::Vec;

use super::Probe;
use crate::graph::Rule;
use crate::init::Init;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;
use crate::spec::{LayerSpec, SavedLayout};
use nn_kernels::conv::Conv;
use nn_kernels::pool::Pool;

/// A claim that is false, and what is done instead.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Claim {
    /// `saved_layout(Sample)`, and keeps number after number.
    SavedLayout,
    /// `overwrites_weight_grad`, and adds.
    Overwrites,
    /// `floor(0)`, and is `max(x, 1)`.
    Floor,
    /// `max_pool` of windows of 2, and takes the first number of each.
    MaxPool,
    /// `accepts_max_pool`, and takes the first number of each window.
    AcceptsMaxPool,
}

const SIDE: usize = 4;

#[derive(Clone, Copy)]
struct Claimant(Claim);

impl Claimant {
    const fn pool() -> Pool {
        Pool::new([1, SIDE, SIDE], [2, 2])
    }

    const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let spec = LayerSpec::output(x);
        match self.0 {
            Claim::SavedLayout => {
                spec.param("shift", x, Init::Zeros).saves(x.len()).saved_layout(SavedLayout::Sample).ok()
            }
            Claim::Overwrites => spec.param("shift", x, Init::Zeros).overwrites_weight_grad().ok(),
            Claim::Floor => spec.floor(0.0).ok(),
            Claim::MaxPool => LayerSpec::output(Shape::of([1, SIDE / 2, SIDE / 2])).max_pool(Claimant::pool()).ok(),
            Claim::AcceptsMaxPool => spec.accepts_max_pool(Conv::new([1, SIDE, SIDE], 1, [1, 1])).ok(),
        }
    }
}

impl Layer for Claimant {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let scale = x.len() / y.len();
        for (i, y) in y.iter_mut().enumerate() {
            *y = if self.0 == Claim::Floor { x[i].max(1.0) } else { x[scale * i] };
        }
        let batch = cx.batch;
        if self.0 == Claim::SavedLayout {
            let len = x.len() / batch;
            for (i, saved) in cx.saved.iter_mut().enumerate() {
                *saved = x[i % batch * len + i / batch];
            }
        }
    }

    fn apply(&self, _: &mut LayerContext, y: &mut [f32]) {
        y.iter_mut().for_each(|y| *y = y.max(1.0));
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        let width = dx.len() / cx.batch;
        for (dx, dy) in dx.chunks_mut(width).zip(dy.chunks(dy.len() / cx.batch)) {
            dx.iter_mut().zip(dy.iter().cycle()).for_each(|(dx, dy)| *dx = *dy);
        }
    }

    fn backward_params(&self, cx: &mut ReadContext, _: [&[f32]; 1], [dy]: [&[f32]; 1], mut part: ParamGrad) {
        let (len, batch) = (cx.input_shape(0).len(), cx.batch);
        if matches!(self.0, Claim::SavedLayout | Claim::Overwrites) {
            let (range, grad) = part.slice(cx, 0);
            for sample in 0..batch {
                for (i, grad) in range.clone().zip(&mut *grad) {
                    *grad += match self.0 {
                        Claim::SavedLayout => cx.saved[i * batch + sample],
                        _ => dy[sample * len + i],
                    };
                }
            }
        }
    }
}

#[test]
fn every_false_claim_of_the_runtimes_own_layers_is_found() {
    for (claim, says) in [
        (Claim::SavedLayout, "`saved_layout`: expected the same gradient of the parameters from samples 0..2 and 2..3"),
        (Claim::Overwrites, "`overwrites_weight_grad`: expected the gradient that is added elsewhere"),
        (Claim::Floor, "`floor`: expected max(x, 0)"),
        (Claim::MaxPool, "`max_pool`: expected the largest numbers of the windows"),
        (Claim::AcceptsMaxPool, "`accepts_max_pool`: expected the output within"),
    ] {
        let batch = 3;
        let x: Vec<f32> = (0..batch * SIDE * SIDE).map(|i| i as f32 / 16.0 - 1.03).collect();
        let probe = Probe::new(Claimant(claim), Claimant::rule, [Shape::of([1, SIDE, SIDE])]).unwrap();
        let dy: Vec<f32> = x[..batch * probe.spec().output_shapes()[0].len()].iter().map(|x| 2.0 - x).collect();
        let text = probe.check_contract(batch, [&x], [&dy]).unwrap_err();
        assert!(text.contains(says), "{claim:?}: {text}");
    }
}
