use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        let y = h -> Dense(2);
        let h = input -> Dense(8);
        y -> Relu
    }
}

fn main() {}
