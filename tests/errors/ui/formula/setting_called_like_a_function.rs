use nn_runtime::prelude::*;

activation! { pub gate(x; exp = 1.0, new = 2.0) = x * sigmoid(exp * x + new) }

fn main() {}
