use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        hidden: Dense(8) -> Relu;
        hidden: Dense(2)
    }
}

fn main() {}
