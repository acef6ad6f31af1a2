use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [8] {
        Dense(8) * 3
    }
}

fn main() {}
