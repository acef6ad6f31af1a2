use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        Dense -> Relu -> Dense(2)
    }
}

fn main() {}
