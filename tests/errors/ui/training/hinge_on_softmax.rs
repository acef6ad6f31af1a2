use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        Dense(2) -> Softmax
    }
}

fn main() {
    let mut model = Net::init(0);
    Trainer::new(&mut model, Hinge::new(), Sgd::new(0.1));
}
