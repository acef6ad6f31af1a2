use nn_runtime::prelude::*;

network! {
    pub struct Net: [10] -> [3] {
        let (a, b, c) = Split(3);
        (a, b, c) -> Sum
    }
}

fn main() {}
