use nn_runtime::{LayerContext, LayerSpec, Fault, Layer, Rule, Shape, prelude::*};

struct Even;

impl Even {
    const fn new() -> Self {
        Even
    }
    const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        if x.len() % 2 == 0 {
            return LayerSpec::output(x).ok();
        }
        Rule::Err(Fault::expected("an even number of features").found(x).help("put `Dense(6)` before it"))
    }
}

impl Layer for Even {
    fn forward(&self, _: &mut LayerContext, _: [&[f32]; 1], _: [&mut [f32]; 1]) {}
    fn backward_input(&self, _: &mut LayerContext, _: [&[f32]; 1], _: [&[f32]; 1], _: [&[f32]; 1], _: [&mut [f32]; 1]) {}
}

network! { pub struct Net: [5] -> [5] { Even } }

fn main() {}
