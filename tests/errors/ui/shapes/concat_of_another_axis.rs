use nn_runtime::prelude::*;

network! {
    pub struct Net: [6, 4] -> [6, 12] {
        let x = input;
        let a = x -> DensePerStep(8);
        (x, a) -> Concat
    }
}

fn main() {}
