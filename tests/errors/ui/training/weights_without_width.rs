use nn_runtime::prelude::*;

network! {
    pub struct Net: [2] -> [3] {
        Dense(3)
    }
}

fn main() {
    let data = Dataset::classes(&[[0.0, 1.0], [1.0, 0.0]], [1, 0]).unwrap();
    let data = data.with_weights(&[1.0, 0.5]).unwrap();
    println!("{data:?}");
}
