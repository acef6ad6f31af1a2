use nn_runtime::prelude::*;

network! {
    pub struct Net: [8, 4] -> [24] { Gru(3) -> Flatten }
}

fn main() {
    let mut model = Net::init(0);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
}
