use nn_runtime::prelude::*;

network! {
    pub struct Net: [12, 5] -> [16] {
        Gru(16, last = true) -> Gru(16, last = true)
    }
}

fn main() {}
