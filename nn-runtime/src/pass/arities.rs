//! Layers of each number of inputs and outputs, in a debug build and where code is small: those of one output
//! and one or two inputs, nearly all there are, are run by code that is compiled here, once for all layers,
//! and so optimised where this crate is. In: a pass, a node and its layer; out: the layer run.

use super::{BackwardInput, BackwardParams, Forward};
use crate::layer::Layer;

/// A pass that runs layers of `N` inputs and `M` outputs.
pub trait RunsLayers<const N: usize, const M: usize> {
    /// Runs node `i`.
    fn run(&mut self, i: usize, layer: &dyn Layer<N, M>);
}

macro_rules! runs {
    ($($how:ident [$($n:literal)*] to $m:literal)*) => {$($(
        runs!($how $n $m Forward<'_, '_>);
        runs!($how $n $m BackwardInput<'_, '_>);
        runs!($how $n $m BackwardParams<'_>);
    )*)*};
    (here $n:literal $m:literal $pass:ty) => {
        impl RunsLayers<$n, $m> for $pass {
            fn run(&mut self, i: usize, layer: &dyn Layer<$n, $m>) {
                self.run_node(i, layer);
            }
        }
    };
    // What is inlined is compiled where it is used.
    (there $n:literal $m:literal $pass:ty) => {
        impl RunsLayers<$n, $m> for $pass {
            #[inline]
            fn run(&mut self, i: usize, layer: &dyn Layer<$n, $m>) {
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
