use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [3] {
        Dense(3) -> Sigmoid
    }
}

fn main() {
    let mut model = Net::init(0);
    Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
}
