use nn_runtime::prelude::*;

network! {
    pub struct Net: (words: [32], mask: [30]) -> [16] {
        let x = words -> Embedding(64, 16);
        (x, mask) -> GlobalAvgPool
    }
}

fn main() {}
