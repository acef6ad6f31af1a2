use nn_runtime::prelude::*;

network! {
    pub struct Net: [32, 64] -> [32, 16] {
        Embedding(64, 16)
    }
}

fn main() {}
