use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        Dense(2, init = Glorot)
    }
}

fn main() {}
