use nn_runtime::prelude::*;

network! {
    pub struct Net: [12] -> [4] {
        let (a, b) = Split(3);
        (a, b) -> Sum
    }
}

fn main() {}
