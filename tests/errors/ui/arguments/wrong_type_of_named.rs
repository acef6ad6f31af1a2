use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        Dense(2, bias = 0)
    }
}

fn main() {}
