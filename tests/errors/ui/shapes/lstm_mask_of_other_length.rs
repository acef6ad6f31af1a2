use nn_runtime::prelude::*;

network! {
    pub struct Net: (x: [12, 5], mask: [10]) -> [12, 32] {
        (x, mask) -> Lstm(32)
    }
}

fn main() {}
