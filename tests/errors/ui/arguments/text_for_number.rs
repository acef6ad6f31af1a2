use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        Dense("two")
    }
}

fn main() {}
