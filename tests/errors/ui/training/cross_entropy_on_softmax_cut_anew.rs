use nn_runtime::prelude::*;

network! {
    pub struct Net: [12] -> [4, 3] {
        Dense(12) -> Softmax -> Reshape([4, 3])
    }
}

fn main() {
    let mut model = Net::init(0);
    Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
}
