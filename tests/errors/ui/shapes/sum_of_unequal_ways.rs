use nn_runtime::prelude::*;

network! {
    pub struct Net: [1, 12, 12] -> [10] {
        let x = Conv2d(16, 3, padding = Same);
        let y = x -> Conv2d(32, 3, padding = Same) -> Relu;
        (x, y) -> Sum -> Flatten -> Dense(10)
    }
}

fn main() {}
