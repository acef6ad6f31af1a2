use nn_runtime::prelude::*;

const NONE: usize = 0;

network! {
    pub struct Net: [4] -> [2] {
        Dense(8 / NONE) -> Dense(2)
    }
}

fn main() {}
