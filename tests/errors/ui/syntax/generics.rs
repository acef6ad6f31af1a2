use nn_runtime::prelude::*;

network! {
    pub struct Net<const N: usize>: [4] -> [2] {
        Dense(2)
    }
}

fn main() {}
