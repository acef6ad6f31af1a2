use nn_runtime::prelude::*;

network! {
    pub struct Net: [3, 8, 8] -> [3, 15, 8] {
        ReflectionPad2d(0, top = 9)
    }
}

fn main() {}
