use nn_runtime::prelude::*;

const WIDTH: usize = 4;

network! {
    pub struct Net: [12, 5] -> [12, 16] {
        Rnn(WIDTH / 8) -> DensePerStep(16)
    }
}

fn main() {}
