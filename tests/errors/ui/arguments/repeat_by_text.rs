use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        Dense(4) * "3" -> Dense(2)
    }
}

fn main() {}
