use nn_runtime::prelude::*;

network! {
    pub struct Net: [16, 14, 14] -> [16, 14, 14] {
        let x = input;
        let y = x -> Conv2d(16, 3, stride = 2, padding = Pad(1)) -> BatchNorm;
        (x, y) -> Sum -> Relu
    }
}

fn main() {}
