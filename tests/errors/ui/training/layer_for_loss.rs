use nn_runtime::prelude::*;

network! {
    pub struct Net: [2] -> [3] {
        Dense(3)
    }
}

fn main() {
    let mut model = Net::init(0);
    Trainer::new(&mut model, Softmax, Sgd::new(0.1));
}
