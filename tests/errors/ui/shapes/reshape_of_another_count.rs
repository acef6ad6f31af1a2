use nn_runtime::prelude::*;

network! {
    pub struct Net: [1, 28, 28] -> [10] {
        Reshape([7, 112]) -> Flatten -> Reshape([28, 27]);
        Flatten -> Dense(10)
    }
}

fn main() {}
