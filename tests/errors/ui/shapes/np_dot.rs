use nn_runtime::prelude::*;

network! {
    pub struct Net: [1, 2] -> [2] {
        // `np.dot(W, x)` with W of 2×2 and x of shape [1, 2].
        Dense(2) -> Tanh
    }
}

fn main() {}
