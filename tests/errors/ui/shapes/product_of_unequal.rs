use nn_runtime::prelude::*;

network! {
    pub struct Net: [16, 8, 8] -> [16, 8, 8] {
        let x = input;
        let gate = x -> GlobalAvgPool -> Dense(16) -> Sigmoid;
        (x, gate) -> Product
    }
}

fn main() {}
