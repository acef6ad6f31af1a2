use nn_runtime::prelude::*;

network! {
    pub struct Net: [1 << 40, 1 << 40] -> [2] {
        Flatten -> Dense(2)
    }
}

fn main() {}
