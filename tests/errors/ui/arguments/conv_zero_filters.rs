use nn_runtime::prelude::*;

network! {
    pub struct Net: [1, 28, 28] -> [8, 26, 26] {
        Conv2d(0, 3)
    }
}

fn main() {}
