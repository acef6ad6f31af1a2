use nn_runtime::prelude::*;

network! { struct Net: [2] -> [3] { Dense(3) } }

fn main() {
    let data = Dataset::classes(&[[0.0, 1.0]], [0]).unwrap();
    let mut model = Net::init(0);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
    let _ = trainer.evaluate_with(&data, R2::new());
}
