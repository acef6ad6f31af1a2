use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        DensePerStep(2)
    }
}

fn main() {}
