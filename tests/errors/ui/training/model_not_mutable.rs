use nn_runtime::prelude::*;

network! {
    pub struct Net: [2] -> [3] {
        Dense(3)
    }
}

fn main() {
    let model = Net::init(0);
    Trainer::new(&model, CrossEntropy::new(), Sgd::new(0.1));
}
