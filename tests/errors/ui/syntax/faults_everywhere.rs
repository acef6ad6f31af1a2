use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        Dense(8) => Relu;
        let Wide = Dense(8);
        Wide -> dense(2)
    }
}

fn main() {}
