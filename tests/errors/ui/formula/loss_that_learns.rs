use nn_runtime::prelude::*;

loss! { pub scaled(y, t; learn scale = 1.0) = scale * (y - t) * (y - t) }

fn main() {}
