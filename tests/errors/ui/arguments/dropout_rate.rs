use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        Dropout(1.5) -> Dense(2)
    }
}

fn main() {}
