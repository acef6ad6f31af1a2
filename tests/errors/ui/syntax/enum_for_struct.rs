use nn_runtime::prelude::*;

network! {
    pub enum Net: [4] -> [2] {
        Dense(2)
    }
}

fn main() {}
