use nn_runtime::prelude::*;

activation! { pub checked(x) = { assert!(x > 0.0); ln(x) } }

fn main() {}
