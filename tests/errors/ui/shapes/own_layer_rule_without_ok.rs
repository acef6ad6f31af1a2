use nn_runtime::{Layer, LayerContext, LayerSpec, Shape, prelude::*};

#[derive(Clone, Copy)]
struct Own;

impl Own {
    const fn new() -> Self {
        Own
    }
    const fn rule(&self, [x]: [Shape; 1]) -> LayerSpec {
        LayerSpec::output(x)
    }
}

impl Layer for Own {
    fn forward(&self, _: &mut LayerContext, _: [&[f32]; 1], _: [&mut [f32]; 1]) {}
    fn backward_input(&self, _: &mut LayerContext, _: [&[f32]; 1], _: [&[f32]; 1], _: [&[f32]; 1], _: [&mut [f32]; 1]) {}
}

network! { pub struct Net: [4] -> [4] { Own -> Dense(4) } }

fn main() {}
