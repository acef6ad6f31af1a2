use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        Gain(1.0) -> Dense(2)
    }
}

fn main() {}
