use nn_runtime::prelude::*;

network! {
    pub struct Policy<const W: usize in [16, 32]>: [8] -> [2] { Dense(W) -> Tanh -> Dense(2) }
}

fn main() {
    let _ = Policy::<48>::init(0);
}
