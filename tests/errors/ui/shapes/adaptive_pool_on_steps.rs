use nn_runtime::prelude::*;

network! {
    pub struct Net: [10, 2, 2, 2] -> [4, 8] {
        Reshape([10, 8]) -> AdaptiveAvgPool2d(4)
    }
}

fn main() {}
