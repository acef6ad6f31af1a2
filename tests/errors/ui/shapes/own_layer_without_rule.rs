use nn_runtime::prelude::*;
use nn_runtime::{LayerContext, Layer};

struct Halve;

impl Halve {
    const fn new() -> Self {
        Halve
    }
}

impl Layer for Halve {
    fn forward(&self, _: &mut LayerContext, _: [&[f32]; 1], _: [&mut [f32]; 1]) {}
    fn backward_input(&self, _: &mut LayerContext, _: [&[f32]; 1], _: [&[f32]; 1], _: [&[f32]; 1], _: [&mut [f32]; 1]) {}
}

network! { pub struct Net: [5] -> [2] { Halve -> Dense(2) } }

fn main() {}
