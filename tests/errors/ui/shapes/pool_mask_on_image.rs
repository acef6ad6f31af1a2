use nn_runtime::prelude::*;

network! {
    pub struct Net: (image: [3, 8, 8], mask: [8]) -> [3] {
        (image, mask) -> GlobalMaxPool
    }
}

fn main() {}
