use nn_runtime::prelude::*;

network! {
    pub struct Net: (left: [4], right: [6]) -> [4] {
        (left, right) -> Sum
    }
}

fn main() {}
