use nn_runtime::prelude::*;

network! {
    pub struct Decoder: (x: [8, 32], memory: [20, 32], mask: [8]) -> [8, 32] {
        (x, memory, mask) -> MultiHeadAttention(4)
    }
}

fn main() {}
