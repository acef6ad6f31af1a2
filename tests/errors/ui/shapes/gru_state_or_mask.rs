use nn_runtime::prelude::*;

network! {
    pub struct Net: (x: [16, 5], start: [16]) -> [16, 16] {
        (x, start) -> Gru(16)
    }
}

fn main() {}
