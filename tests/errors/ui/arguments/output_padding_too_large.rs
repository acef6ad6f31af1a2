use nn_runtime::prelude::*;

network! {
    pub struct Net: [8, 7, 7] -> [4, 15, 15] {
        ConvTranspose2d(4, 3, stride = 2, output_padding = 2)
    }
}

fn main() {}
