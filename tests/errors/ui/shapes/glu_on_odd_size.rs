use nn_runtime::prelude::*;

network! {
    pub struct Net: [8] -> [3] {
        Dense(7) -> Glu
    }
}

fn main() {}
