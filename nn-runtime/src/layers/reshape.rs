//! `Reshape`: the same numbers in other dimensions. In: any shape; out: the given one, with as many numbers.
//! It may not change a number or their order.

use super::flatten::{Flatten, moves};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::limits::MAX_RANK;
use crate::shape::Shape;

/// The same numbers in these dimensions, the last one running fastest: `[a, b, …] -> [dims]`.
///
/// | argument | here | PyTorch's `Unflatten`, `Tensor.reshape` | Keras's `Reshape` |
/// |---|---|---|---|
/// | `dims` | must be given, without the batch | with the batch; one may be -1 | `target_shape`, without the batch; one may be -1 |
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Sums: [6] -> [3, 1] { Reshape([3, 2]) -> DensePerStep(1, init = Constant(1.0)) }
/// }
/// assert_eq!(Sums::init(0).predictor(1).predict(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), &[3.0, 7.0, 11.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Reshape {
    /// The first `MAX_RANK` of them.
    dims: [usize; MAX_RANK],
    rank: usize,
}

impl Reshape {
    /// These dimensions, the batch not counted.
    pub const fn new<const R: usize>(dims: [usize; R]) -> Self {
        let mut kept = [1; MAX_RANK];
        let mut i = 0;
        while i < R && i < MAX_RANK {
            kept[i] = dims[i];
            i += 1;
        }
        Reshape { dims: kept, rank: R }
    }

    /// `[a, b, …] -> [dims]`, where both have as many numbers.
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        if self.rank == 0 || self.rank > MAX_RANK {
            return Rule::Err(
                Fault::expected("1 to 6 dimensions")
                    .found_num(self.rank)
                    .help("give them as in `Reshape([1, 28, 28])`"),
            );
        }
        let y = Shape::of_slice(self.dims.split_at(self.rank).0);
        match y.checked_len() {
            // A product that does not fit is told by the spec themselves.
            Some(len) if len != x.len() => Rule::Err(
                Fault::expected("a shape of ")
                    .num(x.len())
                    .str(" numbers, as the input ")
                    .shape(x)
                    .str(" has")
                    .found(y)
                    .str(" of ")
                    .num(len)
                    .help("give dimensions whose product is ")
                    .num(x.len())
                    .str(", such as `Reshape(")
                    .shape(self.fitting(x))
                    .str(")`"),
            ),
            _ => moves(y),
        }
    }

    /// The given dimensions with one changed so that they fit, the last that can be; or else the input
    /// itself.
    const fn fitting(&self, x: Shape) -> Shape {
        let y = Shape::of_slice(self.dims.split_at(self.rank).0);
        let mut i = self.rank;
        while i > 0 {
            i -= 1;
            if let Some(others) = y.with_dim(i, 1).checked_len()
                && others > 0
                && x.len().is_multiple_of(others)
            {
                return y.with_dim(i, x.len() / others);
            }
        }
        x
    }
}

impl Layer for Reshape {
    fn forward(&self, cx: &mut LayerContext, x: [&[f32]; 1], y: [&mut [f32]; 1]) {
        Flatten.forward(cx, x, y);
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        x: [&[f32]; 1],
        y: [&[f32]; 1],
        dy: [&[f32]; 1],
        dx: [&mut [f32]; 1],
    ) {
        Flatten.backward_input(cx, x, y, dy, dx);
    }
}
