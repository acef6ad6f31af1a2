use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> (class: [2], bounds: [3]) {
        let class = Dense(2);
        let bounds = input -> Dense(4);
    }
}

fn main() {}
