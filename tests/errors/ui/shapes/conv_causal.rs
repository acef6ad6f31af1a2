use nn_runtime::prelude::*;

network! {
    pub struct Net: [3, 28, 28] -> [16, 28, 28] {
        Conv2d(16, 3, padding = Causal)
    }
}

fn main() {}
