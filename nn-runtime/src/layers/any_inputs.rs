//! Layers of any number of inputs: their methods over slices of inputs, compiled once and in this crate. What
//! is generic over the number of inputs is compiled where a network is declared, which may be in a debug
//! build; it only forwards.

use crate::layer::{LayerContext, ParamGrad, ReadContext};

/// [`Layer`](crate::Layer) of as many inputs as there are, and one output.
pub(super) trait AnyInputs {
    fn forward_any(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [f32]);

    fn backward_input_any(&self, cx: &mut LayerContext, x: &[&[f32]], dy: &[f32], dx: &mut [&mut [f32]]);

    fn backward_params_any(&self, cx: &mut ReadContext, x: &[&[f32]], dy: &[f32], part: ParamGrad) {
        let _ = (cx, x, dy, part);
    }

    fn step_any(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [f32]) {
        self.forward_any(cx, x, y);
    }

    fn prepare_any(&self, cx: &mut LayerContext) {
        let _ = cx;
    }
}

/// `Layer<N>` for every `N`, of a type that is [`AnyInputs`].
macro_rules! layer_of_any_inputs {
    ($name:ident) => {
        impl<const N: usize> crate::layer::Layer<N> for $name {
            fn forward(&self, cx: &mut crate::layer::LayerContext, x: [&[f32]; N], [y]: [&mut [f32]; 1]) {
                super::any_inputs::AnyInputs::forward_any(self, cx, &x, y);
            }

            fn backward_input(
                &self,
                cx: &mut crate::layer::LayerContext,
                x: [&[f32]; N],
                _: [&[f32]; 1],
                [dy]: [&[f32]; 1],
                mut dx: [&mut [f32]; N],
            ) {
                super::any_inputs::AnyInputs::backward_input_any(self, cx, &x, dy, &mut dx);
            }

            fn backward_params(
                &self,
                cx: &mut crate::layer::ReadContext,
                x: [&[f32]; N],
                [dy]: [&[f32]; 1],
                part: crate::layer::ParamGrad,
            ) {
                super::any_inputs::AnyInputs::backward_params_any(self, cx, &x, dy, part);
            }

            fn step(&self, cx: &mut crate::layer::LayerContext, x: [&[f32]; N], [y]: [&mut [f32]; 1]) {
                super::any_inputs::AnyInputs::step_any(self, cx, &x, y);
            }

            fn prepare(&self, cx: &mut crate::layer::LayerContext) {
                super::any_inputs::AnyInputs::prepare_any(self, cx);
            }
        }
    };
}
pub(super) use layer_of_any_inputs;
