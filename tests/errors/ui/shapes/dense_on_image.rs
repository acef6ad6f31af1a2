use nn_runtime::prelude::*;

network! {
    pub struct Net: [1, 28, 28] -> [10] {
        Dense(64) -> Relu -> Dense(10)
    }
}

fn main() {}
