use nn_runtime::prelude::*;

network! {
    pub struct Net: [8] -> [4] { Dense(4) }
}

fn main() {
    let mut model = Net::init(0);
    Trainer::new(&mut model, Adam::new(0.1), Mse::new());
}
