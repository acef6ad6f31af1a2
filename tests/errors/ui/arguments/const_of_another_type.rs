use nn_runtime::prelude::*;

const UNITS: u32 = 8;

network! {
    pub struct Net: [4] -> [2] {
        Dense(UNITS) -> Dense(2)
    }
}

fn main() {}
