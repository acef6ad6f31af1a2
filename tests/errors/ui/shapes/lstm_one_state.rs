use nn_runtime::prelude::*;

network! {
    pub struct Net: (x: [12, 5], start: [16]) -> [12, 16] {
        (x, start) -> Lstm(16)
    }
}

fn main() {}
