use nn_runtime::prelude::*;

network! {
    pub struct Block: [32, 14, 14] -> [32, 14, 14] {
        let x = input;
        let y = x -> Conv2d(32, 3, padding = Same) -> BatchNorm -> Relu;
        (x, y) -> Sum
    }
}

network! {
    pub struct Net: [1, 28, 28] -> [10] {
        Conv2d(16, 3, stride = 2, padding = Pad(1)) -> Relu -> Block * 3;
        GlobalAvgPool -> Dense(10)
    }
}

fn main() {}
