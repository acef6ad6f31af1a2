use nn_runtime::prelude::*;

network! {
    pub struct Net: [1, 1, 1, 1, 1, 1, 4] -> [2] {
        Flatten -> Dense(2)
    }
}

fn main() {}
