//! What stands behind a layer some of whose values nothing reads. In: the first of its values that is read,
//! and the others; out: that one. It gives the others a gradient of zeros.

use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm};

/// Hands its first value on.
#[derive(Clone, Copy, Default)]
pub struct Unread;

impl Unread {
    /// There is nothing to choose.
    pub const fn new() -> Self {
        Unread
    }

    /// `(kept, unread, …) -> kept`
    pub const fn rule<const N: usize>(&self, x: [Shape; N]) -> Rule {
        LayerSpec::output(x[0]).backward_without_x().backward_without_y().per_step().onnx(OnnxForm::Same).ok()
    }
}

impl<const N: usize> Layer<N> for Unread {
    fn forward(&self, _: &mut LayerContext, x: [&[f32]; N], [y]: [&mut [f32]; 1]) {
        y.copy_from_slice(x[0]);
    }

    fn backward_input(
        &self,
        _: &mut LayerContext,
        _: [&[f32]; N],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        dx: [&mut [f32]; N],
    ) {
        for (k, dx) in dx.into_iter().enumerate().filter(|(_, dx)| !dx.is_empty()) {
            match k {
                0 => dx.copy_from_slice(dy),
                _ => dx.fill(0.0),
            }
        }
    }
}
