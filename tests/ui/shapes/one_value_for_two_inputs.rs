use nn_runtime::{Cx, Facts, Layer, Rule, Shape, prelude::*};

struct Both;

impl Both {
    const fn new() -> Self {
        Both
    }
    const fn rule(&self, [a, _]: [Shape; 2]) -> Rule {
        Facts::output(a).ok()
    }
}

impl Layer<2> for Both {
    fn forward(&self, _: &mut Cx, _: [&[f32]; 2], _: [&mut [f32]; 1]) {}
    fn pull_input(&self, _: &mut Cx, _: [&[f32]; 2], _: [&[f32]; 1], _: [&[f32]; 1], _: [&mut [f32]; 2]) {}
}

network! { pub struct Net: [4] -> [4] { Dense(4) -> Both } }

fn main() {}
