use nn_runtime::prelude::*;

const UNITS: usize = 8;

network! {
    pub struct Net: [4] -> [2] {
        Dense(UNTIS) -> Dense(2)
    }
}

fn main() {}
