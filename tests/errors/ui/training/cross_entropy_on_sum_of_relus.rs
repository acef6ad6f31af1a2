use nn_runtime::prelude::*;

network! {
    pub struct Net: [8] -> [4] {
        let a = Dense(4) -> Relu;
        let b = input -> Dense(4) -> Relu;
        (a, b) -> Sum
    }
}

fn main() {
    let mut model = Net::init(0);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
}
