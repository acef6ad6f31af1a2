use nn_runtime::prelude::*;

network! {
    pub struct Net: [32, 64] -> [32, 64] {
        LayerNorm -> MultiHeadAttention(6)
    }
}

fn main() {}
