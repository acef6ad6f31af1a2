use nn_runtime::prelude::*;

fn units() -> usize {
    8
}

network! {
    pub struct Net: [4] -> [2] {
        Dense(units()) -> Dense(2)
    }
}

fn main() {}
