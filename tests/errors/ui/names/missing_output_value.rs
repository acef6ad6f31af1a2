use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> (class: [2], bounds: [4]) {
        let class = Dense(2);
        let bound = input -> Dense(4);
    }
}

fn main() {}
