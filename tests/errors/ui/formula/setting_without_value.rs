use nn_runtime::prelude::*;

activation! { pub swish(x; beta) = x * sigmoid(beta * x) }

fn main() {}
