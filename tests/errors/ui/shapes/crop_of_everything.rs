use nn_runtime::prelude::*;

network! {
    pub struct Net: [3, 8, 8] -> [3, 1, 1] {
        Crop2d(4)
    }
}

fn main() {}
