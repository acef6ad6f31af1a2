use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [4] {
        share(hidden) -> hidden: Dense(4)
    }
}

fn main() {}
