use nn_runtime::prelude::*;

activation! { pub swish(x; beta = 1.0) => x * sigmoid(beta * x) }

fn main() {}
