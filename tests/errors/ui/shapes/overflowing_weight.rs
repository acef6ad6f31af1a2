use nn_runtime::prelude::*;

network! {
    pub struct Net: [1024] -> [2] {
        Dense(1 << 50) -> Dense(2)
    }
}

fn main() {}
