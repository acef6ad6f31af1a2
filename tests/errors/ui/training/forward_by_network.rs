use nn_runtime::prelude::*;

network! {
    pub struct Net: [8] -> [4] { Dense(4) }
}

fn main() {
    Net::forward(&[0.0; 8]);
}
