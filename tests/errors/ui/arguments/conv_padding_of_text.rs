use nn_runtime::prelude::*;

network! {
    pub struct Net: [1, 28, 28] -> [8, 28, 28] {
        Conv2d(8, 3, padding = "same")
    }
}

fn main() {}
