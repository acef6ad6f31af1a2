use nn_runtime::prelude::*;

network! {
    pub struct Net: [32] -> [32, 16] {
        Embedding(64, 16, padding = 64)
    }
}

fn main() {}
