use nn_runtime::prelude::*;

network! {
    pub struct Net: (x: [12, 5], mask: [12], start: [16]) -> [12, 16] {
        (x, mask, start) -> Gru(16)
    }
}

fn main() {}
