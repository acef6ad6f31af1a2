use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [4] {
        let hidden = Dense(4) -> Relu;
        hiden -> Dense(4)
    }
}

fn main() {}
