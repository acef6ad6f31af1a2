use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> (a: [2], b: [3]) {
        let a = Dense(2);
        let b = input -> Dense(3);
    }
}

fn main() {
    let mut model = Net::init(0);
    Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
}
