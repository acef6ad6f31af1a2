use nn_runtime::prelude::*;

network! { pub struct Causal: [8, 4] -> [8, 4] { Conv1d(4, 3, padding = Causal) } }

fn main() {}
