use nn_runtime::{Init, Layer, LayerContext, LayerSpec, Rule, Shape, prelude::*};

struct Nine;

impl Nine {
    const fn new() -> Self {
        Nine
    }
    const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let spec = LayerSpec::output(x).param("a", x, Init::Zeros).param("b", x, Init::Zeros).param("c", x, Init::Zeros);
        let spec = spec.param("d", x, Init::Zeros).param("e", x, Init::Zeros).param("f", x, Init::Zeros);
        spec.param("g", x, Init::Zeros).param("h", x, Init::Zeros).param("i", x, Init::Zeros).ok()
    }
}

impl Layer for Nine {
    fn forward(&self, _: &mut LayerContext, _: [&[f32]; 1], _: [&mut [f32]; 1]) {}
    fn backward_input(&self, _: &mut LayerContext, _: [&[f32]; 1], _: [&[f32]; 1], _: [&[f32]; 1], _: [&mut [f32]; 1]) {}
}

network! { pub struct Net: [5] -> [5] { Nine } }

fn main() {}
