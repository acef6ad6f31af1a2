use nn_runtime::prelude::*;

network! {
    pub struct Net: [16, 28, 28] -> [16, 7, 7] {
        Conv2d(16, 3, stride = 2, padding = Pad(1)) * 2
    }
}

fn main() {}
