use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        Dnse(8) -> Relu -> Dense(2)
    }
}

fn main() {}
