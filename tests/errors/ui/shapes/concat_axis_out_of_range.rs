use nn_runtime::prelude::*;

network! {
    pub struct Net: (a: [4], b: [4]) -> [8] {
        (a, b) -> Concat(axis = 1)
    }
}

fn main() {}
