use nn_runtime::prelude::*;

network! {
    pub struct Net: [6] -> [3] {
        let (a, b, c) = Split(2);
        (a, b, c) -> Sum
    }
}

fn main() {}
