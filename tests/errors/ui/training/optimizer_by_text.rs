use nn_runtime::prelude::*;

network! {
    pub struct Net: [8] -> [4] { Dense(4) }
}

fn main() {
    let mut model = Net::init(0);
    Trainer::new(&mut model, Mse::new(), "adam");
}
