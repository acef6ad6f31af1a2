use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        let h = Dense(8);
        let h = h -> Relu;
        h -> Dense(2)
    }
}

fn main() {}
