use nn_runtime::prelude::*;

network! {
    pub struct Net: [8] -> [1] {
        Dense(1) -> LayerNorm
    }
}

fn main() {}
