use nn_runtime::prelude::*;

network! {
    pub struct Net: [8] -> [4] { Dense(4) }
}

fn main() {
    let mut model = Net::init(0);
    let mut trainer = Trainer::new(&mut model, (CrossEntropy::new(), Mse::new()), Sgd::new(0.1));
}
