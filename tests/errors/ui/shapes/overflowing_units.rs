use nn_runtime::prelude::*;

network! {
    pub struct Net: [1024] -> [2] {
        Dense(usize::MAX) -> Dense(2)
    }
}

fn main() {}
