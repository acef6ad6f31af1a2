use nn_runtime::prelude::*;

network! {
    #[weights("weights/integers.safetensors")]
    struct Net: [4] -> [2] { hidden: Dense(8) -> Relu -> head: Dense(2) }
}

fn main() {
    Net::embedded();
}
