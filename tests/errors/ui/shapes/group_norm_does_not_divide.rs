use nn_runtime::prelude::*;

network! {
    pub struct Net: [12, 8, 8] -> [12, 8, 8] {
        GroupNorm(8)
    }
}

fn main() {}
