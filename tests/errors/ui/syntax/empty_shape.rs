use nn_runtime::prelude::*;

network! {
    pub struct Net: [] -> [2] {
        Dense(2)
    }
}

fn main() {}
