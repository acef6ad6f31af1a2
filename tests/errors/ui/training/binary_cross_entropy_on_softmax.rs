use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [3] {
        Dense(3) -> Softmax
    }
}

fn main() {
    let mut model = Net::init(0);
    Trainer::new(&mut model, BinaryCrossEntropy::new(), Sgd::new(0.1));
}
