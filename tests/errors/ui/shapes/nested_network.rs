use nn_runtime::prelude::*;

network! {
    pub struct Encoder: [784] -> [32] {
        Dense(32) -> Tanh
    }
}

network! {
    pub struct Net: [1, 28, 28] -> [10] {
        encoder: Encoder -> Dense(10)
    }
}

fn main() {}
