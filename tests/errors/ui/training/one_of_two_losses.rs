use nn_runtime::prelude::*;

network! {
    pub struct Net: [8] -> (a: [4], b: [4]) {
        let a = input -> Dense(4) -> Relu;
        let b = input -> Dense(4);
    }
}

fn main() {
    let mut model = Net::init(0);
    let mut trainer = Trainer::new(&mut model, (CrossEntropy::new(), Mse::new()), Sgd::new(0.1));
}
