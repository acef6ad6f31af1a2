use nn_runtime::prelude::*;

network! {
    pub struct Net: [32] -> [32, 64] {
        PositionalEncoding -> MultiHeadAttention(4)
    }
}

fn main() {}
