use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [1] {
        Dense(1)
    }
}

fn main() {
    let mut model = Net::init(0);
    Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
}
