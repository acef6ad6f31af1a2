use nn_runtime::prelude::*;

network! {
    pub struct Net: [1, 28, 28] -> [10] {
        Flatten -> Dense(64) -> Relu -> [32];
        Dense(10)
    }
}

fn main() {}
