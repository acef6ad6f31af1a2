use nn_runtime::{LayerContext, LayerSpec, Layer, Rule, Shape, prelude::*};

struct Both;

impl Both {
    const fn new() -> Self {
        Both
    }
    const fn rule(&self, [a, _]: [Shape; 2]) -> Rule {
        LayerSpec::output(a).ok()
    }
}

impl Layer<2> for Both {
    fn forward(&self, _: &mut LayerContext, _: [&[f32]; 2], _: [&mut [f32]; 1]) {}
    fn backward_input(&self, _: &mut LayerContext, _: [&[f32]; 2], _: [&[f32]; 1], _: [&[f32]; 1], _: [&mut [f32]; 2]) {}
}

network! { pub struct Net: [4] -> [4] { Dense(4) -> Both } }

fn main() {}
