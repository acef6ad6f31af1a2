use nn_runtime::prelude::*;

network! {
    #[weights("weights/keras_conv.safetensors")]
    struct Net: [1, 8, 8] -> [4, 6, 6] { conv: Conv2d(4, 3) }
}

fn main() {
    Net::embedded();
}
