use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [8] {
        hidden: Dense(8) -> Relu -> share(hidden)
    }
}

fn main() {}
