use nn_runtime::prelude::*;

const SIDE: usize = 2;

network! {
    pub struct Net: [4] -> [2] {
        Dense(usize::MAX * SIDE) -> Dense(2)
    }
}

fn main() {}
