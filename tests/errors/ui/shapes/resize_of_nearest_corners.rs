use nn_runtime::prelude::*;

network! {
    pub struct Net: [3, 8, 8] -> [3, 12, 12] {
        Resize(12, align_corners = true)
    }
}

fn main() {}
