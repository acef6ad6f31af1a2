use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        dense(2)
    }
}

fn main() {}
