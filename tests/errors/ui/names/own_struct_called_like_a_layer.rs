use nn_runtime::prelude::*;

struct Flatten;

network! {
    pub struct Net: [1, 28, 28] -> [10] {
        Flatten -> Dense(10)
    }
}

fn main() {
    let _ = Flatten;
}
