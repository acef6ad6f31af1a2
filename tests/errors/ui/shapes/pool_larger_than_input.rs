use nn_runtime::prelude::*;

network! {
    pub struct Net: [8, 3, 3] -> [8] {
        MaxPool2d(4) -> Flatten
    }
}

fn main() {}
