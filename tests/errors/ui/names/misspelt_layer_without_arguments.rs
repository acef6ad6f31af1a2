use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        Dense(8) -> Rely -> Dense(2)
    }
}

fn main() {}
