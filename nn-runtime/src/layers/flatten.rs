//! `Flatten`: the same numbers in one dimension. In: any shape; out: `[numbers]`. It may not change a number
//! or their order.

use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::{Head, LayerSpec, OnnxForm};

/// All numbers of a sample in a row, the last dimension running fastest: `[a, b, …] -> [a · b · …]`.
///
/// No arguments, as PyTorch's `Flatten()` and Keras's `Flatten()`.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Row: [2, 3] -> [6] { Flatten }
/// }
/// let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// assert_eq!(Row::init(0).predictor(1).predict(&x), &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// ```
#[derive(Clone, Copy, Default, Debug)]
pub struct Flatten;

impl Flatten {
    /// There is nothing to choose.
    pub const fn new() -> Self {
        Flatten
    }

    /// `[a, b, …] -> [a · b · …]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        moves(Shape::of([x.len()]))
    }
}

/// The spec of a layer that only gives its input another shape.
pub(super) const fn moves(y: Shape) -> Rule {
    LayerSpec::output(y)
        .head(Head::Same)
        .backward_without_x()
        .backward_without_y()
        .passes_gradient()
        .same_when_predicting()
        .onnx(OnnxForm::Reshape)
        .ok()
}

impl Layer for Flatten {
    fn forward(&self, _: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        y.copy_from_slice(x);
    }

    fn backward_input(
        &self,
        _: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        if !dx.is_empty() {
            dx.copy_from_slice(dy);
        }
    }
}
