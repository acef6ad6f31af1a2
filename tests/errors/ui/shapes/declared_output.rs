use nn_runtime::prelude::*;

network! {
    pub struct Net: [1, 28, 28] -> [12] {
        Flatten -> hidden: Dense(64) -> Relu;
        head: Dense(10) -> Softmax
    }
}

fn main() {}
