use nn_runtime::prelude::*;

network! {
    pub struct Net: (a: [4], b: [4]) -> [2] {
        a -> Dense(2)
    }
}

fn main() {}
