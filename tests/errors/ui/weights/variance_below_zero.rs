use nn_runtime::prelude::*;

network! {
    #[weights("weights/variance.safetensors")]
    struct Net: [2] -> [2] { norm: BatchNorm }
}

fn main() {
    Net::embedded();
}
