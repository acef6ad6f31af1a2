//! A network's passes as a value, so that what runs a batch can be compiled for one network alone, or in this
//! crate for all of them. In: a network; out: its plan, and its passes to call. It runs nothing by itself.

use core::marker::PhantomData;

use super::microbatch::MicroBatching;
use crate::graph::CompiledNetwork;
use crate::layer::{LayerContext, ParamGrad, ReadContext};
use crate::model::Network;

/// What runs a network: see [`Network`].
pub(super) trait Passes: Copy + Sync {
    fn compiled(self) -> &'static CompiledNetwork;
    /// How its batches are cut.
    fn micro_batching(self) -> MicroBatching;
    /// Whether any layer's inputs have gradients that somebody needs.
    fn runs_backward_input(self) -> bool;
    /// Whether there are running statistics.
    fn follows_batches(self) -> bool;
    /// Whether any gradients are summed block by block.
    fn sums_blocks(self) -> bool;
    fn forward(self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [&mut [f32]]);
    fn backward_input(self, cx: &mut LayerContext, x: &[&[f32]], y: &[&[f32]], dy: &[&[f32]], dx: &mut [&mut [f32]]);
    fn backward_params(self, cx: &mut ReadContext, x: &[&[f32]], dy: &[&[f32]], part: ParamGrad);
}

/// One network's: what is compiled with them is its own.
pub(super) struct OwnPasses<N>(PhantomData<fn() -> N>);

impl<N> OwnPasses<N> {
    pub(super) const fn new() -> Self {
        OwnPasses(PhantomData)
    }
}

impl<N> Clone for OwnPasses<N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for OwnPasses<N> {}

impl<N: Network> Passes for OwnPasses<N> {
    #[inline]
    fn compiled(self) -> &'static CompiledNetwork {
        N::COMPILED
    }

    #[inline]
    fn micro_batching(self) -> MicroBatching {
        const { MicroBatching::new(N::COMPILED) }
    }

    #[inline]
    fn runs_backward_input(self) -> bool {
        const { N::COMPILED.train.runs_backward_input() }
    }

    #[inline]
    fn follows_batches(self) -> bool {
        const { N::COMPILED.nested.statistics > 0 }
    }

    #[inline]
    fn sums_blocks(self) -> bool {
        const { N::COMPILED.sums_blocks() }
    }

    #[inline]
    fn forward(self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [&mut [f32]]) {
        N::forward_pass(cx, x, y);
    }

    #[inline]
    fn backward_input(self, cx: &mut LayerContext, x: &[&[f32]], y: &[&[f32]], dy: &[&[f32]], dx: &mut [&mut [f32]]) {
        N::backward_input(cx, x, y, dy, dx);
    }

    #[inline]
    fn backward_params(self, cx: &mut ReadContext, x: &[&[f32]], dy: &[&[f32]], part: ParamGrad) {
        N::backward_params(cx, x, dy, part);
    }
}

type ForwardFn = fn(&mut LayerContext, &[&[f32]], &mut [&mut [f32]]);
type BackwardInputFn = fn(&mut LayerContext, &[&[f32]], &[&[f32]], &[&[f32]], &mut [&mut [f32]]);
type BackwardParamsFn = fn(&mut ReadContext, &[&[f32]], &[&[f32]], ParamGrad);

/// Any network's: what is compiled with them serves all networks.
#[derive(Clone, Copy)]
pub(super) struct AnyPasses {
    compiled: &'static CompiledNetwork,
    forward: ForwardFn,
    backward_input: BackwardInputFn,
    backward_params: BackwardParamsFn,
}

impl AnyPasses {
    pub(super) const fn of<N: Network>() -> AnyPasses {
        AnyPasses {
            compiled: N::COMPILED,
            forward: N::forward_pass,
            backward_input: N::backward_input,
            backward_params: N::backward_params,
        }
    }
}

impl Passes for AnyPasses {
    fn compiled(self) -> &'static CompiledNetwork {
        self.compiled
    }

    fn micro_batching(self) -> MicroBatching {
        MicroBatching::new(self.compiled)
    }

    fn runs_backward_input(self) -> bool {
        self.compiled.train.runs_backward_input()
    }

    fn follows_batches(self) -> bool {
        self.compiled.nested.statistics > 0
    }

    fn sums_blocks(self) -> bool {
        self.compiled.sums_blocks()
    }

    fn forward(self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [&mut [f32]]) {
        (self.forward)(cx, x, y);
    }

    fn backward_input(self, cx: &mut LayerContext, x: &[&[f32]], y: &[&[f32]], dy: &[&[f32]], dx: &mut [&mut [f32]]) {
        (self.backward_input)(cx, x, y, dy, dx);
    }

    fn backward_params(self, cx: &mut ReadContext, x: &[&[f32]], dy: &[&[f32]], part: ParamGrad) {
        (self.backward_params)(cx, x, dy, part);
    }
}
