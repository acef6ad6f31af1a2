use nn_runtime::prelude::*;

network! {
    pub struct Net: [64] -> [32] {
        Lstm(32, last = true)
    }
}

fn main() {}
