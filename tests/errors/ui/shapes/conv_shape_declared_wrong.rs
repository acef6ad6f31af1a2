use nn_runtime::prelude::*;

network! {
    pub struct Net: [1, 28, 28] -> [10] {
        Conv2d(32, 3) -> Relu -> MaxPool2d(2) -> Conv2d(64, 3) -> [64, 5, 5];
        Flatten -> Dense(10)
    }
}

fn main() {}
