use nn_runtime::prelude::*;

network! {
    pub struct Decoder: (x: [8, 32], memory: [20, 64]) -> [8, 32] {
        (x, memory) -> MultiHeadAttention(4)
    }
}

fn main() {}
