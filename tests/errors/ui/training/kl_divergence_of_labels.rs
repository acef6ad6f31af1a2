use nn_runtime::prelude::*;

network! {
    pub struct Net: [2] -> [3] {
        Dense(3)
    }
}

fn main() {
    let mut model = Net::init(0);
    let data = Dataset::classes(&[[0.0, 1.0], [1.0, 0.0]], [1, 0]).unwrap();
    let mut trainer = Trainer::new(&mut model, KlDivergence::new(), Sgd::new(0.1));
    trainer.fit(&data, Fit::epochs(1)).unwrap();
}
