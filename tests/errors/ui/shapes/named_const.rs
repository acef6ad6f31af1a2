use nn_runtime::prelude::*;

const SIDE: usize = 8;
const CLASSES: usize = 10;

network! {
    pub struct Net: [1, SIDE, SIDE] -> [10] {
        Flatten -> [SIDE * CLASSES] -> Dense(CLASSES)
    }
}

fn main() {}
