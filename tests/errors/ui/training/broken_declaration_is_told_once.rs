use nn_runtime::prelude::*;

network! {
    pub struct Net: [1, 4, 4] -> [3] {
        Dense(8) -> Relu -> Dense(3)
    }
}

fn main() {
    let mut model = Net::init(0);
    let data = Dataset::classes(&[[0.5; 16], [1.0; 16]], [2, 1]).unwrap();
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(0.1));
    trainer.fit(&data, Fit::epochs(1)).unwrap();
}
