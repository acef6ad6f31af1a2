use nn_runtime::prelude::*;

network! {
    pub struct Net: [12, 5] -> [32] {
        Lstm(32, direction = Both, last = true)
    }
}

fn main() {}
