use nn_runtime::prelude::*;

network! {
    pub struct Net: [4] -> [2] {
        nn_runtime::layers::Dnse(2)
    }
}

fn main() {
    // The stub stands: the rest of the program is still looked at, and nothing else is wrong with it.
    let model = Net::init(0);
    let _: &[f32; 2] = model.predictor(1).predict(&[1.0; 4]);
}
