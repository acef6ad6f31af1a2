use nn_runtime::prelude::*;

network! {
    pub struct Net: [3, 28, 28] -> [16, 26, 26] {
        Conv2d(16, 3, groups = 4)
    }
}

fn main() {}
