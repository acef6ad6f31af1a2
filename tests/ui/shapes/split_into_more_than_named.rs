use nn_runtime::prelude::*;

network! {
    pub struct Net: [9] -> [3] {
        let (a, b) = Split(3);
        (a, b) -> Sum
    }
}

fn main() {}
