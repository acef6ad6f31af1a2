use nn_runtime::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> [10] {
        Flatten -> Dense(64) -> Relu -> Dense(32) -> Relu;
        Dense(16) -> Relu -> [8];
        Dense(10)
    }
}

fn main() {}
