use nn_runtime::prelude::*;

network! {
    pub struct Net: [32, 8] -> [16, 8] {
        MaxPool2d(2)
    }
}

fn main() {}
