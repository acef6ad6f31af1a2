use nn_runtime::prelude::*;

network! {
    pub struct Net: [784] -> [10] {
        Conv2d(32, 3) -> Relu -> Flatten -> Dense(10)
    }
}

fn main() {}
