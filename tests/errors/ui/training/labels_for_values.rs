use nn_runtime::prelude::*;

network! {
    pub struct Net: [2] -> [3] {
        Dense(3)
    }
}

fn main() {
    let data = Dataset::values(&[[0.0, 1.0], [1.0, 0.0]], &[2, 1]).unwrap();
    let mut model = Net::init(0);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
    trainer.fit(&data, Fit::epochs(1)).unwrap();
}
