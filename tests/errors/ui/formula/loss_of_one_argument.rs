use nn_runtime::prelude::*;

loss! { pub squared(y) = y * y }

fn main() {}
