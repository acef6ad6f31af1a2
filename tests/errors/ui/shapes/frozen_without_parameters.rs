use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        frozen Relu -> Dense(2)
    }
}

fn main() {}
