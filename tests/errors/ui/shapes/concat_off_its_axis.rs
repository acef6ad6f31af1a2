use nn_runtime::prelude::*;

network! {
    pub struct Net: [3, 12, 12] -> [20, 12, 12] {
        let x = input;
        let a = x -> Conv2d(10, 3, padding = Same);
        let b = x -> Conv2d(10, 3);
        (a, b) -> Concat
    }
}

fn main() {}
