use nn_runtime::prelude::*;

activation! { pub step(x) = x * (x > 0.0) }

fn main() {}
