use nn_runtime::prelude::*;

network! {
    pub struct Net: [2] -> [3] {
        Dense(3)
    }
}

fn main() {
    let model = Net::init(0);
    let [_yes, _no] = *model.predictor(1).predict(&[1.0, 2.0]);
}
