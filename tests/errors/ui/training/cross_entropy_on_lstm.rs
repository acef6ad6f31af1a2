use nn_runtime::prelude::*;

network! {
    pub struct Net: [8, 4] -> [3] { Lstm(3) -> LastStep }
}

fn main() {
    let mut model = Net::init(0);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
}
