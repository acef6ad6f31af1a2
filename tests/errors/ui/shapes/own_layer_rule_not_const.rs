use nn_runtime::prelude::*;
use nn_runtime::{LayerContext, LayerSpec, Layer, Rule, Shape};

struct Halve;

impl Halve {
    const fn new() -> Self {
        Halve
    }

    fn rule(&self, [x]: [Shape; 1]) -> Rule {
        LayerSpec::output(x).ok()
    }
}

impl Layer for Halve {
    fn forward(&self, _: &mut LayerContext, _: [&[f32]; 1], _: [&mut [f32]; 1]) {}
    fn backward_input(&self, _: &mut LayerContext, _: [&[f32]; 1], _: [&[f32]; 1], _: [&[f32]; 1], _: [&mut [f32]; 1]) {}
}

network! { pub struct Net: [5] -> [2] { Halve -> Dense(2) } }

fn main() {}
