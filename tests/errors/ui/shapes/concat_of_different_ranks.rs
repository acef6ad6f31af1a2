use nn_runtime::prelude::*;

network! {
    pub struct Net: (image: [1, 8, 8], table: [5]) -> [69] {
        (image, table) -> Concat
    }
}

fn main() {}
