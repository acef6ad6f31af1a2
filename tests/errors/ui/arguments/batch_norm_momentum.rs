use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [4] {
        BatchNorm(momentum = 10.0)
    }
}

fn main() {}
