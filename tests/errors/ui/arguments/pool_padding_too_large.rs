use nn_runtime::prelude::*;

network! {
    pub struct Net: [8, 28, 28] -> [8, 15, 15] {
        MaxPool2d(2, padding = Pad(2))
    }
}

fn main() {}
