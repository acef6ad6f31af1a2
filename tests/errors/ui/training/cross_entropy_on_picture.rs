use nn_runtime::prelude::*;

network! {
    pub struct Net: [12] -> [2, 3, 2] {
        Reshape([2, 3, 2]) -> Softmax
    }
}

fn main() {
    let mut model = Net::init(0);
    Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
}
