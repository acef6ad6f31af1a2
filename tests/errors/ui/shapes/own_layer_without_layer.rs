use nn_runtime::prelude::*;
use nn_runtime::{LayerSpec, Rule, Shape};

struct Halve;

impl Halve {
    const fn new() -> Self {
        Halve
    }

    const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        LayerSpec::output(x).ok()
    }
}

network! { pub struct Net: [5] -> [2] { Halve -> Dense(2) } }

fn main() {}
