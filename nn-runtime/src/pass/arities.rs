//! Layers of each number of inputs and outputs, in a debug build and where code is small: those of one output
//! and one or two inputs, nearly all there are, are run by code that is compiled here, once for all layers,
//! and so optimised where this crate is. In: a pass, a node and its layer; out: the layer run.

use super::{BackwardInput, BackwardParams, Forward, STREAMS};
use crate::graph::BufferRef;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};

/// The places of as many values as a layer has.
#[inline]
pub(super) fn first<const N: usize>(spans: &[BufferRef]) -> [BufferRef; N] {
    core::array::from_fn(|i| spans[i])
}

/// A pass that runs layers that are known as `L`.
pub trait RunsLayers<L: ?Sized> {
    /// Runs node `i`.
    fn run(&mut self, i: usize, layer: &L);
}

/// What a forward pass calls of a layer, and no more: a program that only predicts has no backward method.
pub trait ForwardLayer<const N: usize, const M: usize> {
    /// [`Layer::forward`].
    fn forward(&self, cx: &mut LayerContext, x: [&[f32]; N], y: [&mut [f32]; M]);
    /// [`Layer::apply`].
    fn apply(&self, cx: &mut LayerContext, y: &mut [f32]);
    /// [`Layer::step`], where there are streams.
    fn step(&self, cx: &mut LayerContext, x: [&[f32]; N], y: [&mut [f32]; M]);
    /// [`Layer::prepare`], where there are streams.
    fn prepare(&self, cx: &mut LayerContext);
}

impl<L: Layer<N, M> + ?Sized, const N: usize, const M: usize> ForwardLayer<N, M> for L {
    #[inline(always)]
    fn forward(&self, cx: &mut LayerContext, x: [&[f32]; N], y: [&mut [f32]; M]) {
        Layer::forward(self, cx, x, y);
    }

    #[inline(always)]
    fn apply(&self, cx: &mut LayerContext, y: &mut [f32]) {
        Layer::apply(self, cx, y);
    }

    #[inline(always)]
    fn step(&self, cx: &mut LayerContext, x: [&[f32]; N], y: [&mut [f32]; M]) {
        if STREAMS {
            Layer::step(self, cx, x, y);
        }
    }

    #[inline(always)]
    fn prepare(&self, cx: &mut LayerContext) {
        if STREAMS {
            Layer::prepare(self, cx);
        }
    }
}

/// What a pass back to the inputs calls.
pub trait BackwardInputLayer<const N: usize, const M: usize> {
    /// [`Layer::backward_input`].
    fn backward_input(
        &self,
        cx: &mut LayerContext,
        x: [&[f32]; N],
        y: [&[f32]; M],
        dy: [&[f32]; M],
        dx: [&mut [f32]; N],
    );
    /// [`Layer::backward_in_place`].
    fn backward_in_place(&self, cx: &mut LayerContext, x: [&[f32]; N], y: [&[f32]; M], d: &mut [f32]);
}

impl<L: Layer<N, M> + ?Sized, const N: usize, const M: usize> BackwardInputLayer<N, M> for L {
    #[inline(always)]
    fn backward_input(
        &self,
        cx: &mut LayerContext,
        x: [&[f32]; N],
        y: [&[f32]; M],
        dy: [&[f32]; M],
        dx: [&mut [f32]; N],
    ) {
        Layer::backward_input(self, cx, x, y, dy, dx);
    }

    #[inline(always)]
    fn backward_in_place(&self, cx: &mut LayerContext, x: [&[f32]; N], y: [&[f32]; M], d: &mut [f32]) {
        Layer::backward_in_place(self, cx, x, y, d);
    }
}

/// What a pass back to the parameters calls.
pub trait BackwardParamsLayer<const N: usize, const M: usize> {
    /// [`Layer::backward_params`].
    fn backward_params(&self, cx: &mut ReadContext, x: [&[f32]; N], dy: [&[f32]; M], part: ParamGrad);
}

impl<L: Layer<N, M> + ?Sized, const N: usize, const M: usize> BackwardParamsLayer<N, M> for L {
    #[inline(always)]
    fn backward_params(&self, cx: &mut ReadContext, x: [&[f32]; N], dy: [&[f32]; M], part: ParamGrad) {
        Layer::backward_params(self, cx, x, dy, part);
    }
}

macro_rules! runs {
    ($($how:ident [$($n:literal)*] to $m:literal)*) => {$($(
        runs!($how ForwardLayer $n $m Forward<'_, '_>);
        runs!($how BackwardInputLayer $n $m BackwardInput<'_, '_>);
        runs!($how BackwardParamsLayer $n $m BackwardParams<'_>);
    )*)*};
    (here $layer:ident $n:literal $m:literal $pass:ty) => {
        impl<'l> RunsLayers<dyn $layer<$n, $m> + 'l> for $pass {
            fn run(&mut self, i: usize, layer: &(dyn $layer<$n, $m> + 'l)) {
                self.run_node(i, layer);
            }
        }
    };
    // What is inlined is compiled where it is used.
    (there $layer:ident $n:literal $m:literal $pass:ty) => {
        impl<'l> RunsLayers<dyn $layer<$n, $m> + 'l> for $pass {
            #[inline]
            fn run(&mut self, i: usize, layer: &(dyn $layer<$n, $m> + 'l)) {
                self.run_node(i, layer);
            }
        }
    };
}
runs! {
    here [1 2] to 1
    there [3 4 5 6 7 8] to 1
    there [1 2 3 4 5 6 7 8] to 2
    there [1 2 3 4 5 6 7 8] to 3
    there [1 2 3 4 5 6 7 8] to 4
}
