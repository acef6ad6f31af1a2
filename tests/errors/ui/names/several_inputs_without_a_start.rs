use nn_runtime::prelude::*;

network! {
    pub struct Net: (image: [4], tags: [4]) -> [2] {
        Dense(2)
    }
}

fn main() {}
