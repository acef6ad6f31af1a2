use nn_runtime::prelude::*;

network! {
    pub struct Net: [8] -> [1] { Dense(1) -> Relu -> Sigmoid }
}

fn main() {
    let mut model = Net::init(0);
    let mut trainer = Trainer::new(&mut model, BinaryCrossEntropy::new(), Sgd::new(0.1));
}
