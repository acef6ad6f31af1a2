use nn_runtime::prelude::*;

activation! { pub many(x; beta = 1) = { let e = exq(x); e * betta + if x { 1.0 } else { x as f64 } } }

fn main() {}
