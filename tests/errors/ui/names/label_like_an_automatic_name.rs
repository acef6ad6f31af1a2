use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        Dense(8) -> Relu;
        dense_1: Dense(2)
    }
}

fn main() {}
