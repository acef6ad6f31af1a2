use nn_runtime::prelude::*;

loss! { pub squared(y, t) = square(y - t) }
network! {
    pub struct Net: [2] -> (a: [3], b: [1]) {
        let a = input -> Dense(3);
        let b = input -> Dense(1);
    }
}

fn main() {
    let mut model = Net::init(0);
    let _ = Trainer::new(&mut model, Squared::new(), Sgd::new(0.1));
}
