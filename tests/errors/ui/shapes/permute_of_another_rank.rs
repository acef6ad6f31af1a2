use nn_runtime::prelude::*;

network! {
    pub struct Net: [3, 8, 8] -> [8, 8, 3] {
        Permute([1, 0])
    }
}

fn main() {}
