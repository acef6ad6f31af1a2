use nn_runtime::prelude::*;

activation! { pub swish(x; beta = 1.0, gamma = 2.0) = { let e = exp(-x); x * sigmoid(beta * x) } }

fn main() {}
