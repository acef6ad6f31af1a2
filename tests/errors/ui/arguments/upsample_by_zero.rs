use nn_runtime::prelude::*;

network! {
    pub struct Net: [3, 8, 8] -> [3, 8, 8] {
        Upsample(0)
    }
}

fn main() {}
