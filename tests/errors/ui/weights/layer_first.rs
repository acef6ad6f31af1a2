use nn_runtime::prelude::*;

network! {
    #[weights("weights/good.safetensors")]
    struct Net: [4] -> [2] { hidden: Dense(8) -> Relu -> Conv2d(2, 3) -> Flatten -> head: Dense(2) }
}

fn main() {
    Net::embedded();
}
