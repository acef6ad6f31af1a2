use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [4] {
        Dense(4) -> Net
    }
}

fn main() {}
