use nn_runtime::prelude::*;

network! {
    pub struct Net: [1, 28, 28] -> [10] {
        Conv2d(8, 5) -> MaxPool2d(4) -> Conv2d(16, 7) -> Flatten -> Dense(10)
    }
}

fn main() {}
