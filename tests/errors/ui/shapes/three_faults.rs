use nn_runtime::prelude::*;

network! {
    pub struct Net: [1, 8, 8] -> (a: [10], b: [10], c: [10]) {
        let a = Dense(10) -> Relu;
        let b = input -> Flatten -> Dense(0);
        let c = input -> Flatten -> Dense(10) -> [12];
    }
}

fn main() {}
