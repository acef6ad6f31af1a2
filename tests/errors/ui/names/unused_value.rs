use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        let h = Dense(8);
        input -> Dense(2)
    }
}

fn main() {}
