use nn_runtime::prelude::*;

network! {
    pub struct Net: [8] -> [4] { Dense(4) }
}

fn main() {
    let mut model = Net::init(0);
    let _ = Trainer::new(&mut model, Mse::new(), Adam::new(0.1)).schedule(|step| 0.1 / step as f32);
}
