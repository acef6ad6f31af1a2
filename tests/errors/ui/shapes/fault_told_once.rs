use nn_runtime::prelude::*;

network! {
    pub struct Net: [1, 28, 28] -> [10] {
        Dense(64) -> Relu -> Dense(0) -> Softmax -> [7]
    }
}

fn main() {}
