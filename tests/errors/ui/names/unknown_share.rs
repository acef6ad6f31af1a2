use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [4] {
        hidden: Dense(4) -> Relu -> share(hiden)
    }
}

fn main() {}
