use nn_runtime::prelude::*;

fn train<N: Network>(model: &mut Model<N>) {
    Trainer::new(model, Mse::new(), Adam::new(0.1));
}

fn main() {}
